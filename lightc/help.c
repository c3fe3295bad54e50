/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/help.h"

static void add_padded(struct strbuf *out, const char *text, size_t width)
{
        size_t n = strlen(text);
        strbuf_adds(out, text);
        strbuf_addf(out, "%*s", (int)(n < width ? width - n : 0), "");
}

void help_usage_line(struct strbuf *out, const struct command *c)
{
        strbuf_addf(out, "lightc %s", c->path);
        if (!c->run)
                strbuf_adds(out, " <command>");
        if (c->options)
                strbuf_adds(out, " [options]");
        for (const struct arg *a = c->args; a && a->name; a++) {
                bool needs_brackets = a->is_optional && !(a->name[0] == '[' && str_ends(a->name, "]"));
                strbuf_addf(out, " %s%s%s%s", needs_brackets ? "[" : "", a->name, needs_brackets ? "]" : "",
                            a->is_repeated ? "..." : "");
        }
        strbuf_addc(out, '\n');
}

void help_option_label(struct strbuf *out, const struct option *o)
{
        if (o->letter)
                strbuf_addf(out, "-%c, ", o->letter);
        else
                strbuf_adds(out, "    ");
        strbuf_addf(out, "--%s", o->name);
        if (o->value)
                strbuf_addf(out, o->fallback ? "[=<%s>]" : " <%s>", o->value);
}

static void add_options(struct strbuf *out, const char *title, const struct option *table)
{
        size_t width = 0;
        if (!table)
                return;
        for (const struct option *o = table; o->name; o++) {
                _cleanup_strbuf_ struct strbuf label = STRBUF_INIT;
                help_option_label(&label, o);
                width = MAX(width, label.len);
        }
        strbuf_addf(out, "\n%s:\n", title);
        for (const struct option *o = table; o->name; o++) {
                _cleanup_strbuf_ struct strbuf label = STRBUF_INIT;
                help_option_label(&label, o);
                strbuf_adds(out, "  ");
                add_padded(out, strbuf_str(&label), width + 2);
                strbuf_addf(out, "%s%s\n", o->help, o->is_repeated ? " (may be repeated)" : "");
        }
}

static void add_children(struct strbuf *out, const struct command *group)
{
        size_t width = 0;
        for (const struct command *const *c = commands; *c; c++)
                if (command_is_child(group, *c))
                        width = MAX(width, strlen(command_word(*c)));
        strbuf_adds(out, "\nCommands:\n");
        for (const struct command *const *c = commands; *c; c++) {
                if (!command_is_child(group, *c))
                        continue;
                strbuf_adds(out, "  ");
                add_padded(out, command_word(*c), width + 2);
                strbuf_addf(out, "%s\n", (*c)->summary);
        }
}

static void add_examples(struct strbuf *out, const char *example)
{
        strbuf_adds(out, "\nExamples:\n");
        while (*example) {
                size_t n = strcspn(example, "\n");
                strbuf_adds(out, "  ");
                strbuf_add(out, example, n);
                strbuf_addc(out, '\n');
                example += n + (example[n] == '\n');
        }
}

void help_command(struct strbuf *out, const struct command *c)
{
        strbuf_addf(out, "%s\n\nUsage: ", c->summary);
        help_usage_line(out, c);
        if (c->aliases)
                strbuf_addf(out, "Also called: %s\n", c->aliases);
        if (!c->run)
                add_children(out, c);
        add_options(out, "Options", c->options);
        add_examples(out, c->example);
        strbuf_adds(out, "\n\"lightc --help\" shows the options every command has.\n");
}

void help_overview(struct strbuf *out)
{
        strbuf_adds(out, "Run and manage system containers\n\nUsage: lightc [options] <command> …\n");
        add_children(out, NULL);
        add_options(out, "Options of every command", command_global_options);
        add_examples(out, "lightc launch debian:12 c1\nlightc shell c1\nlightc list\n");
        strbuf_adds(out, "\n\"lightc <command> --help\" explains one command.\n");
}
