/* SPDX-License-Identifier: Apache-2.0 */
#include "base/worker.h"
#include "base/fd.h"
#include "base/time.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t cancelled;
static bool answered;

static void on_term(int sig _unused_)
{
        cancelled = 1;
}

bool worker_is_cancelled(void)
{
        return cancelled;
}

bool worker_has_answered(void)
{
        return answered;
}

void worker_set_answered(void)
{
        answered = true;
}

static void send_line(struct strbuf *line)
{
        strbuf_addc(line, '\n');
        /* The daemon may be gone: then nobody is left to tell, and start-up will clean up. */
        (void)!fd_write_all(WORKER_FD_ANSWER, line->data, line->len);
}

void worker_answer_result(struct json_object *result)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (answered)
                return;
        answered = true;
        strbuf_addf(&b, "{\"result\":%s}", result ? json_text(result) : "{}");
        send_line(&b);
}

void worker_answer_error(const struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        if (answered)
                return;
        answered = true;
        json_write_object_begin(&w);
        json_write_key(&w, "error");
        json_write_object_begin(&w);
        json_write_key_string(&w, "reason", error_reason(err->code));
        json_write_key_string(&w, "message", error_message(err));
        if (err->hint)
                json_write_key_string(&w, "hint", err->hint);
        json_write_object_end(&w);
        json_write_object_end(&w);
        send_line(&b);
}

static bool progress_is_due(void)
{
        static uint64_t last;
        uint64_t now = time_monotonic_ms();
        if (last && now - last < 100)
                return false;
        last = now;
        return true;
}

void worker_progress(const char *stage, int percent)
{
        static const char *last_stage;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!progress_is_due() && streq(stage, last_stage))
                return;
        last_stage = stage;
        if (percent >= 0)
                strbuf_addf(&b, "{\"progress\":{\"stage\":\"%s\",\"percent\":%d}}", stage, percent);
        else
                strbuf_addf(&b, "{\"progress\":{\"stage\":\"%s\"}}", stage);
        send_line(&b);
}

void worker_progress_bytes(const char *stage, uint64_t done, uint64_t total)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!progress_is_due())
                return;
        strbuf_addf(&b, "{\"progress\":{\"stage\":\"%s\",\"bytes\":%llu", stage, (unsigned long long)done);
        if (total)
                strbuf_addf(&b, ",\"percent\":%d", (int)(done * 100 / total));
        strbuf_adds(&b, "}}");
        send_line(&b);
}

static int read_args(struct json_object **ret_args, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = fd_read_to_end(WORKER_FD_ARGS, &b, JSON_TEXT_MAX);
        if (r < 0)
                return error_set_errno(err, r, "Reading the job's arguments");
        fd_close(WORKER_FD_ARGS);
        return json_parse(strbuf_str(&b), b.len, ret_args, err);
}

static int run_job(const struct worker_job *job)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *args = NULL, *result = NULL;
        int r = read_args(&args, &err);
        if (r >= 0)
                r = job->run(args, &result, &err);
        if (r >= 0) {
                worker_answer_result(result);
                return 0;
        }
        if (err.code == ERR_NONE)
                error_set_errno(&err, r, "%s", job->name);
        worker_answer_error(&err);
        return 0;
}

int worker_main(int argc, char **argv, const struct worker_job *jobs)
{
        struct sigaction term = { .sa_handler = on_term };
        sigaction(SIGTERM, &term, NULL);
        signal(SIGPIPE, SIG_IGN);
        if (argc == 2)
                for (const struct worker_job *job = jobs; job->name; job++)
                        if (streq(job->name, argv[1]))
                                return run_job(job);
        fprintf(stderr, "%s is started by lightd. Its jobs:\n", argv[0]);
        for (const struct worker_job *job = jobs; job->name; job++)
                fprintf(stderr, "  %-16s %s\n", job->name, job->summary);
        return 2;
}
