/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/alias.h"
#include "lightc/args.h"
#include "lightc/client.h"
#include "lightc/complete.h"
#include "lightc/dump.h"
#include "lightc/help.h"
#include "lightc/interrupt.h"
#include "lightc/output.h"
#include "lightc/target.h"

#include <signal.h>
#include <stdio.h>

static int show_help(const struct args *a)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (a->command)
                help_command(&b, a->command);
        else
                help_overview(&b);
        return output_text(&b) < 0 ? STATUS_FAILED : STATUS_OK;
}

static void show_usage(const struct command *c)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!c || !c->run)
                return;
        help_usage_line(&b, c);
        fprintf(stderr, "Usage: %s\"lightc %s --help\" says more\n", strbuf_str(&b), c->path);
}

static int misused(const struct args *a, const struct error *err)
{
        output_error(NULL, err);
        show_usage(a->command);
        return STATUS_USAGE;
}

static int run(const struct args *a)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_(client_done) struct client c;
        client_init(&c);
        c.project = args_value(a, "project", c.project);
        c.is_quiet = args_has(a, "quiet");
        c.is_verbose = args_has(a, "verbose");
        c.is_debug = args_has(a, "debug");
        int r = target_check_remotes(a, &err);
        if (r >= 0)
                r = a->command->run(&c, a, &err);
        if (fflush(stdout) < 0 && r >= 0)
                r = -EPIPE;
        if (r == STATUS_USAGE && err.code)
                return misused(a, &err);
        if (err.code)
                output_error(NULL, &err);
        if (r < 0 && interrupt_count() > 0)
                return STATUS_INTERRUPTED;
        return r < 0 ? STATUS_FAILED : r;
}

int main(int argc, char **argv)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_args_ struct args a = { 0 };
        signal(SIGPIPE, SIG_IGN);
        if (argc == 2 && streq(argv[1], "--dump")) {
                dump_commands();
                return STATUS_OK;
        }
        if (argc >= 2 && streq(argv[1], "__complete")) {
                complete_line((const char *const *)argv + 2, argc - 2);
                return STATUS_OK;
        }
        const char *const *words;
        alias_expand(argc, (const char *const *)argv, &argc, &words);
        if (args_parse(argc, words, &a, &err) < 0)
                return misused(&a, &err);
        if (args_has(&a, "version")) {
                output_line("%s", LIGHTVISOR_VERSION);
                return STATUS_OK;
        }
        if (args_has(&a, "help") || !a.command || !a.command->run)
                return show_help(&a);
        return run(&a);
}
