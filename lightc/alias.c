/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/alias.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "api/yaml.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME "config.yml"

/* ---- the file ---- */

static char *config_dir(void)
{
        const char *own = getenv("LIGHTC_CONF"), *home = getenv("HOME");
        return !str_empty(own) ? xstrdup(own) : xasprintf("%s/.config/lightc", home ? home : "");
}

/* sudo and su leave HOME as it was: a home one may not enter is somebody else's, and so are the aliases in it. */
static bool home_is_another_s(void)
{
        const char *home = getenv("HOME");
        return str_empty(getenv("LIGHTC_CONF")) && home && access(home, X_OK) < 0;
}

int alias_load(struct json_object **ret_config, struct error *err)
{
        static const char *const string_maps[] = { "aliases", NULL };
        _cleanup_free_ char *dir = config_dir(), *path = xasprintf("%s/" FILE_NAME, dir);
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct json_object *config = NULL;
        int r = path_read_file(AT_FDCWD, path, MiB(1), &text);
        if (r == -ENOENT || r == -ENOTDIR || (r == -EACCES && home_is_another_s())) { /* the usual case, which no library is loaded for */
                *ret_config = json_object_new_object();
                return 0;
        }
        if (r < 0)
                return error_set_errno(err, r, "Reading \"%s\"", path);
        r = yaml_parse(strbuf_str(&text), text.len, string_maps, &config, err);
        if (r == 0 && config && !json_object_is_type(config, json_type_object)) {
                json_object_put(config);
                r = error_set(err, ERR_BAD_REQUEST, "it holds no map of keys and values");
        }
        if (r < 0)
                return error_prefix(err, "Cannot read \"%s\"", path);
        *ret_config = config ? config : json_object_new_object();
        return 0;
}

int alias_save(struct json_object *config, struct error *err)
{
        _cleanup_free_ char *dir = config_dir();
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        int r = yaml_write(config, &text, err);
        if (r < 0)
                return r;
        r = path_mkdir_all(dir, 0700);
        _cleanup_close_ int fd = r < 0 ? r : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r >= 0 && fd < 0)
                r = -errno;
        if (r >= 0)
                r = path_write_atomic(fd, FILE_NAME, text.data, text.len, 0600);
        return r < 0 ? error_set_errno(err, r, "Writing \"%s/" FILE_NAME "\"", dir) : 0;
}

struct json_object *alias_map(struct json_object *config)
{
        struct json_object *map = json_get_object(config, "aliases");
        if (!map) {
                map = json_object_new_object();
                json_set_take(config, "aliases", map);
        }
        return map;
}

/* ---- expansion ---- */

struct words {
        const char **items;
        int n;
};

static void add(struct words *w, const char *word)
{
        w->items = xreallocarray(w->items, (size_t)w->n + 2, sizeof *w->items);
        w->items[w->n++] = word;
        w->items[w->n] = NULL;
}

/* How many words of the line the name covers, 0: it is another one. */
static int match(const char *name, int argc, const char *const *argv)
{
        int n = 0;
        for (const char *p = name; *p; p += strspn(p, " ")) {
                size_t len = strcspn(p, " ");
                if (n + 1 >= argc || strlen(argv[n + 1]) != len || memcmp(argv[n + 1], p, len) != 0)
                        return 0;
                n++;
                p += len;
        }
        return n;
}

static const char *find(struct json_object *aliases, int argc, const char *const *argv, int *ret_n)
{
        const char *target = NULL;
        *ret_n = 0;
        json_object_object_foreach(aliases, name, value) {
                int n = match(name, argc, argv);
                if (n > *ret_n && json_object_is_type(value, json_type_string)) {
                        *ret_n = n;
                        target = json_object_get_string(value);
                }
        }
        return target;
}

/* "@ARG2@": 2, anything else: 0 */
static int position(const char *word)
{
        char *end;
        long n = str_starts(word, "@ARG") ? strtol(word + 4, &end, 10) : 0;
        return n > 0 && n < 1000 && streq(end, "@") ? (int)n : 0;
}

static void substitute(struct words *out, const char *target, int n_rest, const char *const *rest)
{
        _cleanup_free_ bool *is_used = xnew_array(bool, (size_t)n_rest + 1);
        bool has_all = false;
        static char *copy; /* its words are the program's arguments from now on */
        char *state = NULL;
        copy = xstrdup(target);
        for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
                int k = position(word);
                if (streq(word, "@ARGS@")) {
                        has_all = true;
                        for (int i = 0; i < n_rest; i++)
                                if (!is_used[i])
                                        add(out, rest[i]);
                } else if (k > 0 && k <= n_rest) {
                        is_used[k - 1] = true;
                        add(out, rest[k - 1]);
                } else if (k == 0) {
                        add(out, word);
                }
        }
        for (int i = 0; !has_all && i < n_rest; i++)
                if (!is_used[i])
                        add(out, rest[i]);
}

void alias_expand(int argc, const char *const *argv, int *ret_argc, const char *const **ret_argv)
{
        _cleanup_json_ struct json_object *config = NULL;
        static struct words out;
        int n = 0;
        *ret_argc = argc;
        *ret_argv = argv;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (argc < 2 || argv[1][0] == '-')
                return;
        if (alias_load(&config, &err) < 0) {
                fprintf(stderr, "Warning: your aliases are not there: %s\n", error_message(&err));
                return;
        }
        if (!json_get_object(config, "aliases"))
                return;
        const char *target = find(alias_map(config), argc, argv, &n);
        if (!target)
                return;
        add(&out, argv[0]);
        substitute(&out, target, argc - 1 - n, argv + 1 + n);
        *ret_argc = out.n;
        *ret_argv = out.items;
}
