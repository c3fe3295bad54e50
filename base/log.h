/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event on stderr, with the journal's "<N>" priority prefix when stderr is the journal.
 * Only three things are logged: a finished request, a finished operation, the daemon's own life. Values a guest
 * chose are escaped, so a name cannot forge a line.
 */
#pragma once

#include "base/macros.h"

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_INFO = 6, LOG_DEBUG = 7 };

void log_init(enum log_level max_level);
bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);

/* Also called with each line that is shown, without its prefix; what it logs itself is not told to it. NULL: nobody. */
typedef void (*log_sink_fn)(const char *level, const char *text);
void log_set_sink(log_sink_fn fn);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
