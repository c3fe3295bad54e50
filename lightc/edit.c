/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/edit.h"
#include "lightc/output.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/process.h"
#include "lightc/target.h"
#include "api/yaml.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define EDITOR_WORDS_MAX 16

extern char **environ;

static const char *const string_maps[] = { "config", "devices", "properties", NULL };

static const char *chosen_editor(void)
{
        const char *e = getenv("VISUAL");
        if (str_empty(e))
                e = getenv("EDITOR");
        return str_empty(e) ? NULL : e;
}

/* VISUAL may hold options ("code -w"): words between spaces, no quoting, and no shell to interpret it. */
static size_t split_words(char *text, const char **words)
{
        size_t n = 0;
        for (char *p = text + strspn(text, " \t"); *p && n < EDITOR_WORDS_MAX; p += strspn(p, " \t")) {
                words[n++] = p;
                p += strcspn(p, " \t");
                if (*p)
                        *p++ = '\0';
        }
        return n;
}

/* The user's own PATH, since the editor is the user's choice. */
static int find_program(const char *name, char **ret)
{
        if (strchr(name, '/'))
                return *ret = xstrdup(name), 0;
        for (const char *p = getenv("PATH"); p && *p; p += strcspn(p, ":"), p += *p == ':') {
                _cleanup_free_ char *path = xasprintf("%.*s/%s", (int)strcspn(p, ":"), p, name);
                if (access(path, X_OK) == 0)
                        return *ret = TAKE_PTR(path), 0;
        }
        return -ENOENT;
}

static int find_editor(char **text, const char **words, size_t *ret_n, char **ret_path)
{
        static const char *const common[] = { "sensible-editor", "editor", "vi", "vim", "nano", "emacs" };
        if (chosen_editor()) {
                *text = xstrdup(chosen_editor());
                *ret_n = split_words(*text, words);
                return *ret_n ? find_program(words[0], ret_path) : -ENOENT;
        }
        *ret_n = 1;
        for (size_t i = 0; i < ARRAY_SIZE(common); i++)
                if (find_program(words[0] = common[i], ret_path) == 0)
                        return 0;
        return -ENOENT;
}

int edit_file(const char *path, struct error *err)
{
        _cleanup_free_ char *text = NULL, *program = NULL;
        const char *words[EDITOR_WORDS_MAX + 2] = { 0 };
        _cleanup_close_ int pidfd = -EBADF;
        size_t n;
        pid_t pid;
        int status;
        int r = find_editor(&text, words, &n, &program);
        if (r < 0) {
                r = error_set(err, ERR_NOT_FOUND, "The editor \"%s\" was not found", chosen_editor() ? chosen_editor() : "vi");
                error_hint(err, "name one in the variable EDITOR, or give the text on standard input");
                return r;
        }
        words[n] = path;
        struct process_spec spec = { .path = program, .argv = words, .env = (const char *const *)environ,
                                     .fds = { 0, 1, 2 }, .n_fds = 3, .cgroup_fd = -EBADF };
        r = process_spawn(&spec, &pid, &pidfd);
        if (r < 0)
                return error_set_errno(err, r, "Cannot start the editor \"%s\"", program);
        r = process_wait(pidfd, &status);
        if (r < 0 || status != 0)
                return error_set(err, ERR_INTERNAL, "The editor \"%s\" failed: nothing was changed", program);
        return 0;
}

typedef int (*submit_text_fn)(const struct strbuf *text, void *data, struct error *err);

static bool wants_retry(const struct error *err)
{
        output_error(NULL, err);
        fprintf(stderr, "Press Enter to open the editor again, Ctrl-C to give up\n");
        for (int ch; (ch = getchar()) != '\n';)
                if (ch == EOF)
                        return false;
        return true;
}

static int try_edited(const char *path, const struct strbuf *before, submit_text_fn submit, void *data, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        int r = path_read_file(AT_FDCWD, path, JSON_TEXT_MAX, &text);
        if (r < 0)
                return error_set_errno(err, r, "Cannot read \"%s\"", path);
        if (text.len == before->len && memcmp(strbuf_str(&text), strbuf_str(before), text.len) == 0)
                return 0;
        return submit(&text, data, err);
}

static int edit_in_file(const char *path, const struct strbuf *before, submit_text_fn submit, void *data, struct error *err)
{
        for (;;) {
                int r = edit_file(path, err);
                if (r < 0)
                        return r;
                r = try_edited(path, before, submit, data, err);
                if (r >= 0 || !wants_retry(err))
                        return r;
                error_done(err);
        }
}

int edit_text(const struct strbuf *before, const char *suffix, submit_text_fn submit, void *data, struct error *err)
{
        const char *dir = getenv("TMPDIR");
        _cleanup_free_ char *path = xasprintf("%s/lightc-XXXXXX%s", str_empty(dir) ? "/tmp" : dir, suffix);
        _cleanup_close_ int fd = mkostemps(path, (int)strlen(suffix), O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, -errno, "Cannot make the temporary file \"%s\"", path);
        int r = fd_write_all(fd, strbuf_str(before), before->len);
        if (r < 0)
                error_set_errno(err, r, "Cannot write \"%s\"", path);
        else
                r = edit_in_file(path, before, submit, data, err);
        unlink(path);
        return r;
}

/* ---- objects, as YAML ---- */

struct object_edit {
        int (*submit)(struct json_object *changed, void *data, struct error *err);
        void *data;
};

static int submit_yaml(const struct strbuf *text, void *data, struct error *err)
{
        const struct object_edit *e = data;
        _cleanup_json_ struct json_object *o = NULL;
        int r = yaml_parse(strbuf_str(text), text->len, string_maps, &o, err);
        if (r == 0 && !json_object_is_type(o, json_type_object))
                r = error_set(err, ERR_BAD_REQUEST, "The text is no map of keys and values");
        return r < 0 ? r : e->submit(o, e->data, err);
}

int edit_object(struct json_object *o, const char *comment, int (*submit)(struct json_object *, void *, struct error *),
                void *data, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct object_edit e = { .submit = submit, .data = data };
        bool is_interactive = isatty(STDIN_FILENO);
        if (is_interactive)
                strbuf_adds(&text, comment);
        int r = is_interactive ? yaml_write(o, &text, err) : target_read_stdin(&text, err);
        if (r < 0)
                return r;
        return is_interactive ? edit_text(&text, ".yaml", submit_yaml, &e, err) : submit_yaml(&text, &e, err);
}
