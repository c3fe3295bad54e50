/* SPDX-License-Identifier: Apache-2.0 */
/* lightd --dump=TABLE: the tables as JSON, for the reference (tools/make-reference) and for tests that walk one. */
#pragma once

int dump_table(const char *name);
