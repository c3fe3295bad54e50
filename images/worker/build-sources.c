/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/build-sources.h"
#include "base/alloc.h"
#include "base/names.h"

#include <ctype.h>
#include <strings.h>

static const struct build_release releases[] = {
        { "bullseye", "11", false },
        { "bookworm", "12", true },
        { "trixie", "13", true },
};

const struct build_release *build_release_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
                if (streq(name, releases[i].codename) || streq(name, releases[i].version))
                        return &releases[i];
        return NULL;
}

/* What follows the codename ("", "-updates", "-security"); NULL: the suite is no release of Debian. */
static const char *suite_suffix(const char *suite)
{
        static const char *const known[] = { "", "-updates", "-security" };
        const char *dash = strchrnul(suite, '-');
        _cleanup_free_ char *codename = xstrndup(suite, (size_t)(dash - suite));
        bool is_stable = streq(codename, "stable") || build_release_find(codename);
        for (size_t i = 0; is_stable && i < ARRAY_SIZE(known); i++)
                if (streq(dash, known[i]))
                        return known[i];
        return NULL;
}

static bool is_plain(const char *word)
{
        for (; *word; word++)
                if (!isalnum((unsigned char)*word) && !strchr("+-._~:/%@", *word))
                        return false;
        return true;
}

static void add_line(const char *uri, const char *suite, const char *key, const struct build_release *release,
                     struct strbuf *out)
{
        const char *suffix = suite_suffix(suite);
        if (!suffix || !is_plain(uri) || (key && (*key != '/' || !is_plain(key))))
                return;
        strbuf_adds(out, "deb ");
        if (key)
                strbuf_addf(out, "[signed-by=%s] ", key);
        strbuf_addf(out, "%s %s%s main\n", uri, release->codename, suffix);
}

/* The next blank-separated word of *p as a copy, or NULL. */
static char *next_word(const char **p)
{
        const char *start = *p + strspn(*p, " \t");
        size_t n = strcspn(start, " \t");
        *p = start + n;
        return n ? xstrndup(start, n) : NULL;
}

static bool has_word(const char *list, const char *wanted)
{
        for (;;) {
                _cleanup_free_ char *word = next_word(&list);
                if (!word || streq(word, wanted))
                        return word != NULL;
        }
}

struct stanza {
        char *types, *uris, *suites, *components, *key, *enabled;
};

static void stanza_done(struct stanza *s)
{
        free(s->types);
        free(s->uris);
        free(s->suites);
        free(s->components);
        free(s->key);
        free(s->enabled);
        *s = (struct stanza){ 0 };
}

static void add_suites(const struct stanza *s, const char *uri, const struct build_release *release,
                       struct strbuf *out)
{
        const char *suites = s->suites;
        for (;;) {
                _cleanup_free_ char *suite = next_word(&suites);
                if (!suite)
                        return;
                add_line(uri, suite, s->key, release, out);
        }
}

static void finish_stanza(struct stanza *s, const struct build_release *release, struct strbuf *out)
{
        const char *uris = s->uris;
        bool is_on = !s->enabled || strcasecmp(s->enabled, "no") != 0;
        bool is_binary = s->types && has_word(s->types, "deb");
        while (is_on && is_binary && uris && s->suites && s->components && has_word(s->components, "main")) {
                _cleanup_free_ char *uri = next_word(&uris);
                if (!uri)
                        break;
                add_suites(s, uri, release, out);
        }
        stanza_done(s);
}

static void take_field(struct stanza *s, const char *line)
{
        const struct {
                const char *name;
                char **value;
        } fields[] = { { "Types:", &s->types },   { "URIs:", &s->uris },
                       { "Suites:", &s->suites }, { "Components:", &s->components },
                       { "Signed-By:", &s->key }, { "Enabled:", &s->enabled } };
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                size_t n = strlen(fields[i].name);
                if (strncasecmp(line, fields[i].name, n) != 0 || *fields[i].value)
                        continue;
                const char *value = line + n + strspn(line + n, " \t");
                size_t len = strlen(value);
                while (len > 0 && isspace((unsigned char)value[len - 1]))
                        len--;
                *fields[i].value = xstrndup(value, len);
        }
}

/* The next line of *p as a copy, without its end; NULL after the last. */
static char *next_line(const char **p)
{
        if (!**p)
                return NULL;
        size_t n = strcspn(*p, "\n");
        char *line = xstrndup(*p, n);
        *p += n + ((*p)[n] == '\n');
        return line;
}

void build_sources_from_deb822(const char *text, const struct build_release *release, struct strbuf *out)
{
        struct stanza s = { 0 };
        for (;;) {
                _cleanup_free_ char *line = next_line(&text);
                if (!line)
                        break;
                if (line[strspn(line, " \t\r")] == '\0')
                        finish_stanza(&s, release, out);
                else if (*line != '#')
                        take_field(&s, line);
        }
        finish_stanza(&s, release, out);
}

/* The key named in "[arch=amd64 signed-by=/…]"; *p moves behind the bracket. */
static char *take_options(const char **p)
{
        *p += strspn(*p, " \t");
        if (**p != '[')
                return NULL;
        const char *end = strchrnul(*p, ']');
        _cleanup_free_ char *inside = xstrndup(*p + 1, (size_t)(end - *p - 1));
        const char *rest = inside;
        *p = *end ? end + 1 : end;
        for (;;) {
                _cleanup_free_ char *word = next_word(&rest);
                if (!word)
                        return NULL;
                if (str_starts(word, "signed-by="))
                        return xstrdup(word + strlen("signed-by="));
        }
}

void build_sources_from_list(const char *text, const struct build_release *release, struct strbuf *out)
{
        for (;;) {
                _cleanup_free_ char *line = next_line(&text);
                if (!line)
                        return;
                const char *p = line;
                _cleanup_free_ char *type = next_word(&p);
                if (!type || !streq(type, "deb"))
                        continue;
                _cleanup_free_ char *key = take_options(&p);
                _cleanup_free_ char *uri = next_word(&p);
                _cleanup_free_ char *suite = next_word(&p);
                if (uri && suite && has_word(p, "main"))
                        add_line(uri, suite, key, release, out);
        }
}

int build_package_check(const char *name, struct error *err)
{
        size_t n = strlen(name);
        bool is_good = n >= 2 && n <= 100 && isalnum((unsigned char)*name) &&
                       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+.-") == n;
        if (is_good)
                return 0;
        _cleanup_free_ char *shown = name_printable(name);
        return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not the name of a Debian package", shown);
}
