/* SPDX-License-Identifier: Apache-2.0 */
/* An instance's console on this terminal. */
#pragma once

#include "lightc/client.h"

int console_attach(struct client *c, const char *word, struct error *err);
int console_print_log(struct client *c, const char *word, struct error *err);
