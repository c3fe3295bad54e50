/* SPDX-License-Identifier: Apache-2.0 */
/* What --help and a misused command print, made from the command table. Knows no connection. */
#pragma once

#include "base/strbuf.h"
#include "lightc/commands.h"

void help_overview(struct strbuf *out);                           /* the program */
void help_command(struct strbuf *out, const struct command *c);   /* a command or a group */
void help_usage_line(struct strbuf *out, const struct command *c);
struct option;
void help_option_label(struct strbuf *out, const struct option *o); /* "-c, --columns <letters>" */
