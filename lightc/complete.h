/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could stand at a place of a command line, for the shells' completion: from the table of commands, and the names
 * from the daemon. Says nothing when it does not know, or when the daemon is away.
 */
#pragma once

/* words: the line so far without "lightc"; the last one is being typed, and may be "". Candidates go to stdout. */
void complete_line(const char *const *words, int n_words);
