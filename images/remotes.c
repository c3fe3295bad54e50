/* SPDX-License-Identifier: Apache-2.0 */
#include "images/remotes.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/strbuf.h"

#include <stdlib.h>

#define RECIPE_PACKAGES_MAX 200

static const struct remote_release debian_releases[] = {
        { "12", "bookworm" }, { "13", "trixie" }, { "11", "bullseye" }, { NULL, NULL }
};

static const struct remote remotes[] = {
        { "debian", "lightvisor-build", "Debian", debian_releases },
};

static int unknown(const char *server, const char *protocol, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(str_empty(server) ? protocol : server);
        if (str_starts(server, "http"))
                error_set(err, ERR_UNSUPPORTED, "Fetching images from \"%s\" is not part of this release",
                          shown);
        else
                error_set(err, ERR_NOT_FOUND, "Image remote \"%s\" is not known", shown);
        return error_hint(err, "Use \"debian:12\", or export the image there and import the file with "
                               "\"lightc image import\"");
}

int remote_find(const char *server, const char *protocol, const struct remote **ret, struct error *err)
{
        server = server ? server : "";
        protocol = protocol ? protocol : "";
        *ret = NULL;
        if (!*server && !*protocol)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(remotes); i++)
                if ((!*server || streq(remotes[i].name, server)) &&
                    (!*protocol || streq(remotes[i].protocol, protocol))) {
                        *ret = &remotes[i];
                        return 0;
                }
        return unknown(server, protocol, err);
}

static int unknown_release(const struct remote *r, const char *alias, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(alias);
        _cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
        for (const struct remote_release *rel = r->releases; rel->number; rel++)
                strbuf_addf(&words, "%s%s:%s (%s)", words.len ? ", " : "", r->name, rel->number,
                            rel->codename);
        error_set(err, ERR_NOT_FOUND, "%s has no release \"%s\"", r->title, shown);
        return error_hint(err, "There are %s", strbuf_str(&words));
}

static int read_alias(const char *alias, struct recipe *ret, struct error *err)
{
        const struct remote *r = ret->remote;
        const char *word = alias;
        size_t n = strlen(r->name);
        if (strncmp(word, r->name, n) == 0 && (word[n] == '/' || !word[n]))
                word += word[n] ? n + 1 : n;
        for (const struct remote_release *rel = r->releases; rel->number; rel++)
                if (!*word || streq(word, rel->number) || streq(word, rel->codename)) {
                        ret->release = rel;
                        return 0;
                }
        return unknown_release(r, alias, err);
}

static int compare_words(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Debian's rule of names: nothing that could be an option, a path or a list. */
static bool is_package(const char *name)
{
        size_t n = strlen(name);
        return n >= 2 && n <= 100 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+.-") == n &&
               strspn(name, "+.-") == 0;
}

static int read_packages(struct json_object *list, struct recipe *ret, struct error *err)
{
        size_t n = list ? json_object_array_length(list) : 0;
        if (n > RECIPE_PACKAGES_MAX)
                return error_set(err, ERR_BAD_REQUEST, "source.packages: more than %d packages are asked for",
                                 RECIPE_PACKAGES_MAX);
        for (size_t i = 0; i < n; i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(list, i));
                if (!name || !is_package(name)) {
                        _cleanup_free_ char *shown = name_printable(name ? name : "");
                        return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not the name of a package", shown);
                }
                if (!strlist_has(&ret->packages, name))
                        strlist_add(&ret->packages, name);
        }
        if (ret->packages.n)
                qsort(ret->packages.items, ret->packages.n, sizeof *ret->packages.items, compare_words);
        return 0;
}

static int read_recipe(struct json_object *source, struct recipe *ret, struct error *err)
{
        const char *alias = json_get_string(source, "alias", "");
        int r = remote_find(json_get_string(source, "server", NULL), json_get_string(source, "protocol", NULL),
                            &ret->remote, err);
        if (r >= 0 && !ret->remote && json_has(source, "packages"))
                r = error_set(err, ERR_BAD_REQUEST, "source.packages: only an image of a remote is built");
        if (r < 0 || !ret->remote)
                return r;
        r = read_alias(*alias ? alias : json_get_string(source, "fingerprint", ""), ret, err);
        return r < 0 ? r : read_packages(json_get_array(source, "packages"), ret, err);
}

int recipe_from_source(struct json_object *source, struct recipe *ret, struct error *err)
{
        *ret = (struct recipe){ 0 };
        int r = read_recipe(source, ret, err);
        if (r < 0)
                recipe_done(ret);
        return r;
}

struct json_object *recipe_to_source(const struct recipe *r)
{
        struct json_object *source = json_object_new_object(), *packages;
        json_set_string(source, "alias", r->release->codename);
        json_set_string(source, "certificate", "");
        json_set_string(source, "protocol", r->remote->protocol);
        json_set_string(source, "server", r->remote->name);
        json_set_string(source, "image_type", "container");
        if (!r->packages.n)
                return source;
        packages = json_object_new_array();
        for (size_t i = 0; i < r->packages.n; i++)
                json_array_add_string(packages, r->packages.items[i]);
        json_set_take(source, "packages", packages);
        return source;
}

void recipe_copy(struct recipe *to, const struct recipe *from)
{
        *to = *from;
        to->packages = (struct strlist){ 0 };
        for (size_t i = 0; i < from->packages.n; i++)
                strlist_add(&to->packages, from->packages.items[i]);
}

bool recipe_equal(const struct recipe *a, const struct recipe *b)
{
        if (a->remote != b->remote || a->release != b->release || a->packages.n != b->packages.n)
                return false;
        for (size_t i = 0; i < a->packages.n; i++)
                if (!streq(a->packages.items[i], b->packages.items[i]))
                        return false;
        return true;
}

void recipe_done(struct recipe *r)
{
        strlist_done(&r->packages);
        *r = (struct recipe){ 0 };
}
