/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `lightd init`: where the document comes from, and what becomes of it. */
#include "lightd/init.h"
#include "lightd/commands.h"
#include "api/yaml.h"
#include "base/fd.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#define PRESEED_MAX MiB(1)
#define EXIT_INTERRUPTED 130

static const char *const string_maps[] = { "config", "devices", NULL };

static int apply(struct json_object *document, struct error *err)
{
        struct init_plan plan;
        int r = init_plan_make(document, &plan, err);
        if (r >= 0)
                r = init_plan_apply(&plan, err);
        init_plan_done(&plan);
        return r;
}

static int print(struct json_object *document, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        int r = yaml_write(document, &text, err);
        if (r >= 0)
                fputs(strbuf_str(&text), stdout);
        return r;
}

static int run_interview(const struct init_wishes *wishes, struct error *err)
{
        _cleanup_json_ struct json_object *document = NULL;
        bool is_shown = false;
        int r = init_interview(wishes, &document, &is_shown, err);
        if (r >= 0 && is_shown)
                r = print(document, err);
        return r < 0 ? r : apply(document, err);
}

static int run_preseed(struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_json_ struct json_object *document = NULL;
        int r = fd_read_to_end(STDIN_FILENO, &text, PRESEED_MAX);
        if (r < 0)
                return error_set_errno(err, r, "Reading the preseed from standard input");
        r = yaml_parse(strbuf_str(&text), text.len, string_maps, &document, err);
        if (r < 0)
                return r;
        if (!json_object_is_type(document, json_type_object))
                return error_set(err, ERR_BAD_REQUEST, "The preseed must be a YAML document with keys like \"networks\"");
        return apply(document, err);
}

static int run_dump(struct error *err)
{
        _cleanup_json_ struct json_object *document = NULL;
        int r = init_dump(&document, err);
        return r < 0 ? r : print(document, err);
}

static int usage(FILE *to)
{
        fputs("Usage: lightd init                 ask what is needed; each question offers what is there\n"
              "       lightd init --auto [--storage-backend DRIVER] [--storage-pool NAME]\n"
              "       lightd init --minimal | --preseed | --dump\n\n"
              "  --auto                    take every default: a pool, a bridge, the default profile's devices\n"
              "  --minimal                 the same\n"
              "  --storage-backend DRIVER  overlay or dir\n"
              "  --storage-pool NAME       the pool to make or to use\n"
              "  --preseed                 do what the YAML document on standard input says, all of it or nothing;\n"
              "                            one that was killed in the middle is finished by the same document again\n"
              "  --dump                    print such a document of what there is\n\n"
              "Example: lightd init --auto && lightc launch debian:12 c1\n",
              to);
        return to == stderr ? 2 : 0;
}

/* LXD's flags for what this release has not: by name, with the reason. */
static const struct {
        const char *flag, *why;
} refused[] = {
        { "network-address", "this release answers on its unix socket only" },
        { "network-port", "this release answers on its unix socket only" },
        { "trust-password", "this release answers on its unix socket only" },
        { "storage-create-device", "the storage backends overlay and dir use no block device" },
        { "storage-create-loop", "the storage backends overlay and dir use no loop device" },
};

static int refuse(const char *flag)
{
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                if (streq(refused[i].flag, flag))
                        fprintf(stderr, "Error: --%s is not possible: %s\n", flag, refused[i].why);
        return 2;
}

struct call {
        struct init_wishes wishes;
        int mode, n_modes; /* 'a', 'p', 'd' or 0: ask */
};

/* 0, or the exit status of a wrong call, made positive by one so that help's 0 is seen. */
static int parse(int argc, char **argv, struct call *ret)
{
        static const struct option options[] = {
                { "auto", no_argument, NULL, 'a' },
                { "minimal", no_argument, NULL, 'a' },
                { "preseed", no_argument, NULL, 'p' },
                { "dump", no_argument, NULL, 'd' },
                { "help", no_argument, NULL, 'h' },
                { "storage-backend", required_argument, NULL, 'b' },
                { "storage-pool", required_argument, NULL, 's' },
                { "network-address", required_argument, NULL, 'x' },
                { "network-port", required_argument, NULL, 'x' },
                { "trust-password", required_argument, NULL, 'x' },
                { "storage-create-device", required_argument, NULL, 'x' },
                { "storage-create-loop", required_argument, NULL, 'x' },
                { 0 },
        };
        int c, index;
        while ((c = getopt_long(argc, argv, "h", options, &index)) != -1) {
                if (c == 'h')
                        return 1 + usage(stdout);
                if (c == 'x')
                        return 1 + refuse(options[index].name);
                if (c == '?')
                        return 1 + usage(stderr);
                if (c == 'b')
                        ret->wishes.backend = optarg;
                else if (c == 's')
                        ret->wishes.pool = optarg;
                else if (ret->n_modes++ >= 0)
                        ret->mode = c;
        }
        bool has_wishes = ret->wishes.backend || ret->wishes.pool;
        if (has_wishes && ret->mode != 'a')
                return fprintf(stderr, "Error: --storage-backend and --storage-pool go with --auto\n"), 3;
        return optind != argc || ret->n_modes > 1 ? 1 + usage(stderr) : 0;
}

int command_init(int argc, char **argv)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct call call = { 0 };
        int status = parse(argc, argv, &call);
        if (status)
                return status - 1;
        call.wishes.is_silent = call.mode == 'a';
        int r = call.mode == 'p' ? run_preseed(&err) : call.mode == 'd' ? run_dump(&err) : run_interview(&call.wishes, &err);
        if (r >= 0)
                return 0;
        bool is_interrupted = err.code == ERR_CANCELLED;
        return is_interrupted ? (command_failed(&err), EXIT_INTERRUPTED) : command_failed(&err);
}
