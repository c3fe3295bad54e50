/* SPDX-License-Identifier: Apache-2.0 */
/* The program `lightd`: the daemon without a command, one row per command with one. */
#include "lightd/commands.h"
#include "lightd/daemon.h"
#include "lightd/dump.h"
#include "base/log.h"
#include "store/child.h"

#include <getopt.h>
#include <stdio.h>

static const struct option long_options[] = {
        { "group", required_argument, NULL, 'g' }, { "debug", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },        { "version", no_argument, NULL, 'v' },
        { "dump", required_argument, NULL, 'D' },  { 0 },
};

static int usage(FILE *to)
{
        fputs("Usage: lightd [--group NAME] [--debug]      run the daemon\n"
              "       lightd COMMAND …                     talk to the running one\n\n"
              "Commands:\n",
              to);
        for (const struct lightd_command *c = lightd_commands; c->name; c++)
                fprintf(to, "  %-16s %s\n", c->name, c->summary);
        fputs("\nOptions:\n"
              "  --group NAME   whose members may use the socket (default: lightd if there is such a group)\n"
              "  --debug        also log every request\n"
              "  --version      print the version\n\n"
              "LIGHTD_DIR names the state directory (default /var/lib/lightd); daemons on different ones live side by side.\n"
              "To manage containers use lightc: lightc launch debian:12 c1\n",
              to);
        return to == stderr ? 2 : 0;
}

static int unknown_command(const char *name)
{
        fprintf(stderr, "Error: lightd has no command \"%s\"\n", name);
        fprintf(stderr, "Did you mean \"lightc %s\"? lightd --help lists its own.\n", name);
        return 2;
}

static int run_daemon(const struct daemon_options *options)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        log_init(options->is_debug ? LOG_DEBUG : LOG_INFO);
        if (daemon_run(options, &err) >= 0)
                return 0;
        log_error("%s", error_message(&err));
        if (err.hint)
                log_error("%s", err.hint);
        return 1;
}

#ifdef __SANITIZE_ADDRESS__
/* The leak check stops the process by ptrace, which the store child has locked itself out of. */
static bool is_store_child;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
        return is_store_child;
}
#endif

static int run_store(void)
{
#ifdef __SANITIZE_ADDRESS__
        is_store_child = true;
#endif
        return store_child_run();
}

int main(int argc, char **argv)
{
        struct daemon_options options = { 0 };
        int c;
        if (argc > 1 && streq(argv[1], "--store"))
                return run_store();
        if (argc > 1 && argv[1][0] != '-') {
                for (const struct lightd_command *cmd = lightd_commands; cmd->name; cmd++)
                        if (streq(cmd->name, argv[1]))
                                return cmd->run(argc - 1, argv + 1);
                return unknown_command(argv[1]);
        }
        while ((c = getopt_long(argc, argv, "hv", long_options, NULL)) != -1)
                switch (c) {
                case 'g':
                        options.group = optarg;
                        break;
                case 'd':
                        options.is_debug = true;
                        break;
                case 'v':
                        puts(LIGHTVISOR_VERSION);
                        return 0;
                case 'D':
                        return dump_table(optarg);
                case 'h':
                        return usage(stdout);
                default:
                        return usage(stderr);
                }
        return optind < argc ? unknown_command(argv[optind]) : run_daemon(&options);
}
