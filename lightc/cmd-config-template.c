/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/edit.h"
#include "lightc/output.h"
#include "lightc/target.h"

#include <unistd.h>

/* …/metadata/templates of the first word, with ?path= of the second if there is one. */
static int url_of(struct client *c, const struct args *a, char **ret, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        int r = target_instance_name(a->words[0], &name, err);
        if (r < 0)
                return r;
        *ret = client_url(c, NULL, "instances", name, "metadata", "templates", NULL);
        if (a->n_words > 1)
                client_url_add(ret, "path", a->words[1]);
        return 0;
}

static int read_template(struct client *c, const char *url, struct strbuf *text, struct error *err)
{
        struct request req = { .method = "GET", .url = url };
        int status = client_begin(c, &req, err);
        if (status < 0)
                return status;
        return status >= 400 ? client_read_error(c, status, err) : client_read_text(c, text, err);
}

struct writing {
        struct client *client;
        const char *url;
};

static int write_template(const struct strbuf *text, void *data, struct error *err)
{
        static const char *const headers[] = { "Content-Type", "application/octet-stream", NULL };
        const struct writing *w = data;
        struct request req = { .method = "POST", .url = w->url, .headers = headers, .data = strbuf_str(text), .n_data = text->len };
        return client_call(w->client, &req, NULL, err);
}

/* Creating must not empty one that is there: the daemon writes over it. */
static int check_is_new(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *names = NULL;
        _cleanup_free_ char *url = NULL;
        struct args instance = { .words = a->words, .n_words = 1 };
        int r = url_of(c, &instance, &url, err);
        if (r == 0)
                r = client_get(c, url, &names, err);
        if (r < 0)
                return r;
        for (size_t i = 0; names && i < json_object_array_length(names); i++) {
                if (!streq(json_object_get_string(json_object_array_get_idx(names, i)), a->words[1]))
                        continue;
                r = error_set(err, ERR_EXISTS, "Instance \"%s\" already has a template \"%s\"", a->words[0], a->words[1]);
                error_hint(err, "lightc config template edit %s %s", a->words[0], a->words[1]);
        }
        return r;
}

static int run_create(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_free_ char *url = NULL;
        int r = url_of(c, a, &url, err);
        if (r == 0)
                r = check_is_new(c, a, err);
        if (r == 0 && !isatty(STDIN_FILENO))
                r = target_read_stdin(&text, err);
        return r < 0 ? r : write_template(&text, &(struct writing){ c, url }, err);
}

static int run_edit(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_free_ char *url = NULL;
        bool is_interactive = isatty(STDIN_FILENO);
        int r = url_of(c, a, &url, err);
        if (r == 0)
                r = is_interactive ? read_template(c, url, &text, err) : target_read_stdin(&text, err);
        struct writing w = { c, url };
        if (r < 0)
                return r;
        return is_interactive ? edit_text(&text, ".tpl", write_template, &w, err) : write_template(&text, &w, err);
}

static int run_delete(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_free_ char *url = NULL;
        int r = url_of(c, a, &url, err);
        return r < 0 ? r : client_put(c, "DELETE", url, NULL, NULL, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_free_ char *url = NULL;
        int r = url_of(c, a, &url, err);
        if (r == 0)
                r = read_template(c, url, &text, err);
        return r < 0 ? r : isatty(STDOUT_FILENO) ? output_printable(&text) : output_text(&text);
}

/* The daemon lists names; a list shows members. */
static int run_list(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = { { .header = "FILENAME", .key = "name" } };
        _cleanup_json_ struct json_object *names = NULL, *rows = json_object_new_array();
        _cleanup_free_ char *url = NULL;
        int r = url_of(c, a, &url, err);
        if (r == 0)
                r = client_get(c, url, &names, err);
        if (r < 0)
                return r;
        if (output_wants_objects(a))
                return output_list(a, names, columns, ARRAY_SIZE(columns), 0, err);
        for (size_t i = 0; names && i < json_object_array_length(names); i++) {
                struct json_object *row = json_object_new_object();
                json_object_object_add(row, "name", json_object_get(json_object_array_get_idx(names, i)));
                json_object_array_add(rows, row);
        }
        return output_list(a, rows, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

#define INSTANCE { "[<remote>:]<instance>" }

const struct command cmd_config_template_create = {
        .path = "config template create",
        .summary = "Give an instance a template: empty, or the text from standard input",
        .args = (const struct arg[]){ INSTANCE, { "<template>" }, { 0 } },
        .run = run_create,
        .example = "lightc config template create c1 motd.tpl\necho 'this is {{ container.name }}' | lightc config template create c1 motd.tpl",
};

const struct command cmd_config_template_delete = {
        .path = "config template delete",
        .aliases = "rm",
        .summary = "Delete a template of an instance",
        .args = (const struct arg[]){ INSTANCE, { "<template>" }, { 0 } },
        .run = run_delete,
        .example = "lightc config template delete c1 motd.tpl",
};

const struct command cmd_config_template_edit = {
        .path = "config template edit",
        .summary = "Change a template in an editor, or from standard input",
        .args = (const struct arg[]){ INSTANCE, { "<template>" }, { 0 } },
        .run = run_edit,
        .example = "lightc config template edit c1 motd.tpl",
};

const struct command cmd_config_template_list = {
        .path = "config template list",
        .aliases = "ls",
        .summary = "List an instance's templates",
        .args = (const struct arg[]){ INSTANCE, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc config template list c1",
};

const struct command cmd_config_template_show = {
        .path = "config template show",
        .summary = "Print a template of an instance",
        .args = (const struct arg[]){ INSTANCE, { "<template>" }, { 0 } },
        .run = run_show,
        .example = "lightc config template show c1 hostname.tpl",
};
