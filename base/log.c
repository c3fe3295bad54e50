/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/strbuf.h"
#include "base/time.h"

#include <errno.h>
#include <unistd.h>

static enum log_level max_shown = LOG_INFO;
static bool to_journal, is_telling;
static log_sink_fn sink;

void log_init(enum log_level max_level)
{
        max_shown = max_level;
        to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_set_sink(log_sink_fn fn)
{
        sink = fn;
}

static void tell(const char *level, const char *text)
{
        if (!sink || is_telling)
                return;
        is_telling = true;
        sink(level, text);
        is_telling = false;
}

bool log_enabled(enum log_level level)
{
        return level <= max_shown;
}

void log_line(enum log_level level, const char *fmt, ...)
{
        static const char *const words[] = { [LOG_ERROR] = "error", [LOG_WARNING] = "warning",
                                             [LOG_INFO] = "info",   [LOG_DEBUG] = "debug" };
        if (!log_enabled(level))
                return;
        int saved = errno;
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT_MAX(KiB(8));
        _cleanup_strbuf_ struct strbuf line = STRBUF_INIT, shown = STRBUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        strbuf_addv(&text, fmt, ap);
        va_end(ap);
        if (to_journal) {
                strbuf_addf(&line, "<%d>", level);
        } else {
                char stamp[TIME_TEXT_SIZE];
                strbuf_addf(&line, "%s %s: ", time_format_rfc3339(time_now_ns(), stamp), words[level]);
        }
        /* One event is one line, whatever a guest put into a name. */
        strbuf_add_printable(&shown, strbuf_str(&text), text.len, "");
        strbuf_addf(&line, "%s\n", strbuf_str(&shown));
        if (write(STDERR_FILENO, line.data, line.len) < 0) {
                /* nowhere left to say it */
        }
        tell(words[level], strbuf_str(&shown));
        errno = saved;
}
