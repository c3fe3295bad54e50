/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/init.h"
#include "lightd/commands.h"

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t is_interrupted;

static void on_signal(int sig _unused_)
{
        is_interrupted = 1;
}

/* A step is never left in the middle: a signal is looked at between two. Nor does a closed output end the work. */
static void watch_signals(void)
{
        static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
        struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                sigaction(numbers[i], &sa, NULL);
        signal(SIGPIPE, SIG_IGN);
}

static bool is_change(const struct init_step *st)
{
        return !st->now || !json_object_equal(st->now, st->next);
}

/* One change, and the ETag it leaves. */
static int change(struct init_step *st, const char *method, const char *path, struct json_object *body, struct error *err)
{
        char *etag = NULL;
        const struct daemon_request q = { .method = method, .path = path, .body = body, .if_match = st->etag };
        int r = daemon_ask(&q, NULL, &etag, err);
        if (r < 0)
                return r;
        free(st->etag);
        st->etag = etag;
        return 0;
}

static int run_step(struct init_step *st, struct error *err)
{
        if (is_interrupted)
                return error_set(err, ERR_CANCELLED, "Interrupted");
        if (!is_change(st)) {
                printf("Kept %s\n", st->label);
                return 0;
        }
        int r = change(st, st->now ? "PUT" : "POST", st->now ? st->path : st->list, st->next, err);
        if (r >= 0)
                printf("%s %s\n", st->now ? "Changed" : "Made", st->label);
        else if (!strstr(error_message(err), st->label))
                error_prefix(err, "%s", st->label);
        return r;
}

static bool undo_step(struct init_step *st)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        if (!is_change(st))
                return true;
        int r = change(st, st->now ? "PUT" : "DELETE", st->path, st->now, &err);
        if (r >= 0)
                fprintf(stderr, "Undone: %s is %s\n", st->label, st->now ? "as it was" : "removed again");
        else if (err.code == ERR_ETAG)
                fprintf(stderr, "Not undone: %s was changed by somebody else meanwhile\n", st->label);
        else
                fprintf(stderr, "Not undone: %s: %s\n", st->label, error_message(&err));
        return r >= 0;
}

int init_plan_apply(struct init_plan *plan, struct error *err)
{
        int r = 0;
        size_t n = 0;
        watch_signals();
        setvbuf(stdout, NULL, _IOLBF, 0); /* whoever is killed has said what he had done */
        for (; n < plan->n && r >= 0; n += r >= 0)
                r = run_step(&plan->steps[n], err);
        if (r >= 0)
                return 0;
        bool is_undone = true;
        while (n-- > 0)
                is_undone &= undo_step(&plan->steps[n]);
        if (!err->hint || err->code == ERR_ETAG) /* to repeat it is to run all of it again */
                error_hint(err, is_undone ? "Nothing of it is left: the server is as it was" :
                                            "Some of it could not be undone (above); lightd init --dump shows what is there");
        return r;
}
