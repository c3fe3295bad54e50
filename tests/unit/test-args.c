/* SPDX-License-Identifier: Apache-2.0 */
/* links: lightc-lib */
#include "tests/lib/test.h"
#include "lightc/args.h"
#include "lightc/help.h"

#define PARSE(a, err, ...)                                                                                   \
        args_parse((int)ARRAY_SIZE(((const char *const[]){ "lightc", __VA_ARGS__ })),                        \
                   (const char *const[]){ "lightc", __VA_ARGS__, NULL }, a, err)

TEST(words_find_the_deepest_command)
{
        _cleanup_args_ struct args a;
        ASSERT_OK(PARSE(&a, NULL, "config", "device", "add", "c1", "eth0", "nic", "nictype=bridged"));
        ASSERT_STR(a.command->path, "config device add");
        ASSERT_EQ(a.n_words, 4);
        ASSERT_STR(a.words[3], "nictype=bridged");
}

TEST(an_alias_stands_for_the_last_word)
{
        _cleanup_args_ struct args a, b;
        ASSERT_OK(PARSE(&a, NULL, "ls"));
        ASSERT_STR(a.command->path, "list");
        ASSERT_OK(PARSE(&b, NULL, "config", "device", "rm", "c1", "eth0"));
        ASSERT_STR(b.command->path, "config device remove");
}

TEST(options_are_understood_in_all_their_spellings)
{
        _cleanup_args_ struct args a, b, c;
        ASSERT_OK(PARSE(&a, NULL, "list", "-cns", "--format=csv"));
        ASSERT_STR(args_value(&a, "columns", ""), "ns");
        ASSERT_STR(args_value(&a, "format", ""), "csv");
        ASSERT_OK(PARSE(&b, NULL, "--project", "web", "list", "-c", "4", "-f=json"));
        ASSERT_STR(args_value(&b, "columns", ""), "4");
        ASSERT_STR(args_value(&b, "project", ""), "web");
        ASSERT_STR(args_value(&b, "format", ""), "json");
        ASSERT_OK(PARSE(&c, NULL, "delete", "-fi", "c1"));
        ASSERT_TRUE(args_has(&c, "force") && args_has(&c, "interactive"));
}

TEST(a_repeated_option_keeps_every_value)
{
        _cleanup_args_ struct args a;
        ASSERT_OK(PARSE(&a, NULL, "init", "busybox", "-c", "a=1", "--config=b=2"));
        ASSERT_STR(args_value_nth(&a, "config", 0), "a=1");
        ASSERT_STR(args_value_nth(&a, "config", 1), "b=2");
        ASSERT_TRUE(args_value_nth(&a, "config", 2) == NULL);
}

TEST(an_optional_value_never_swallows_the_next_word)
{
        _cleanup_args_ struct args a;
        ASSERT_OK(PARSE(&a, NULL, "start", "--console", "c1"));
        ASSERT_STR(args_value(&a, "console", NULL), "console");
        ASSERT_STR(args_word(&a, 0), "c1");
}

TEST(the_command_of_an_exec_keeps_its_options)
{
        _cleanup_args_ struct args a, b;
        ASSERT_OK(PARSE(&a, NULL, "exec", "c1", "--cwd", "/tmp", "ls", "-l", "--help"));
        ASSERT_STR(args_value(&a, "cwd", ""), "/tmp");
        ASSERT_EQ(a.n_words, 4);
        ASSERT_STR(a.words[3], "--help");
        ASSERT_OK(PARSE(&b, NULL, "exec", "c1", "--", "-x", "--", "y"));
        ASSERT_EQ(b.n_words, 4);
        ASSERT_STR(b.words[2], "--");
}

TEST(a_timeout_may_be_negative)
{
        _cleanup_args_ struct args a;
        int v;
        ASSERT_OK(PARSE(&a, NULL, "stop", "c1", "--timeout", "-1"));
        ASSERT_EQ(args_int(&a, "timeout", 5, &v, NULL), 0);
        ASSERT_EQ(v, -1);
}

TEST(mistakes_say_what_is_wrong)
{
        static const struct {
                const char *words[4];
                const char *says, *hint;
        } cases[] = {
                { { "lst" }, "Unknown command \"lst\"", "lightc list" },
                { { "config", "sett" }, "Unknown command \"config sett\"", "lightc config set" },
                { { "frobnicate" }, "Unknown command", "--help" },
                { { "list", "--nosuch" }, "Unknown option \"--nosuch\"", NULL },
                { { "list", "-z" }, "Unknown option \"-z\"", NULL },
                { { "list", "--format" }, "needs a value", NULL },
                { { "list", "--fast=x" }, "takes no value", NULL },
                { { "exec", "c1" }, "Missing argument [--] <command>", NULL },
                { { "version", "a", "b" }, "\"b\" is not expected", NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_error_ struct error err = ERROR_INIT;
                _cleanup_args_ struct args a;
                const char *argv[6] = { "lightc" };
                int argc = 1;
                while (argc < 5 && cases[i].words[argc - 1]) {
                        argv[argc] = cases[i].words[argc - 1];
                        argc++;
                }
                ASSERT_ERR(args_parse(argc, argv, &a, &err), -EINVAL);
                ASSERT_CONTAINS(error_message(&err), cases[i].says);
                if (cases[i].hint)
                        ASSERT_CONTAINS(err.hint, cases[i].hint);
        }
}

TEST(help_may_be_asked_in_two_ways_and_needs_no_arguments)
{
        _cleanup_args_ struct args a, b;
        ASSERT_OK(PARSE(&a, NULL, "help", "exec"));
        ASSERT_STR(a.command->path, "exec");
        ASSERT_TRUE(args_has(&a, "help"));
        ASSERT_OK(PARSE(&b, NULL, "exec", "--help"));
        ASSERT_TRUE(args_has(&b, "help"));
}

static void check_row(const struct command *c)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (str_empty(c->summary) || str_ends(c->summary, ".") || str_empty(c->example))
                fail_msg("\"%s\" lacks a summary (without full stop) or an example", c->path);
        if (!str_starts(c->example, "lightc "))
                fail_msg("the example of \"%s\" does not begin with lightc", c->path);
        help_command(&b, c);
        ASSERT_CONTAINS(strbuf_str(&b), c->summary);
        ASSERT_CONTAINS(strbuf_str(&b), "Usage: lightc ");
        for (const struct option *o = c->options; o && o->name; o++) {
                ASSERT_FALSE(str_empty(o->help));
                for (const struct option *p = o + 1; p->name; p++)
                        if (streq(o->name, p->name) || (o->letter && o->letter == p->letter))
                                fail_msg("\"%s\" has two options --%s", c->path, o->name);
                for (const struct option *g = command_global_options; g->name; g++)
                        if (streq(o->name, g->name) || (o->letter && o->letter == g->letter))
                                fail_msg("\"%s\" hides the global option --%s", c->path, g->name);
        }
}

TEST(every_command_has_summary_example_and_sound_options)
{
        for (const struct command *const *c = commands; *c; c++)
                check_row(*c);
}

TEST(the_table_is_sorted_and_each_path_has_its_group)
{
        for (const struct command *const *c = commands; *c; c++) {
                if (c[1] && strcmp((*c)->path, c[1]->path) >= 0)
                        fail_msg("\"%s\" stands before \"%s\"", (*c)->path, c[1]->path);
                const char *space = strrchr((*c)->path, ' ');
                if (!space)
                        continue;
                char group[64] = "";
                memcpy(group, (*c)->path, (size_t)(space - (*c)->path));
                const struct command *g = command_find(group);
                ASSERT_TRUE(g && !g->run);
        }
}

TEST(no_two_commands_answer_to_one_word)
{
        for (const struct command *const *c = commands; *c; c++) {
                const char *space = strrchr((*c)->path, ' ');
                char group[64] = "";
                memcpy(group, (*c)->path, space ? (size_t)(space - (*c)->path) : 0);
                ASSERT_TRUE(command_child(command_find(group), command_word(*c)) == *c);
        }
}
