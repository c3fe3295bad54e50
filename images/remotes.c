/* SPDX-License-Identifier: Apache-2.0 */
#include "images/remotes.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/strbuf.h"

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

int remote_release(const struct remote *r, const char *alias, const struct remote_release **ret,
                   struct error *err)
{
        const char *word = alias ? alias : "";
        size_t n = strlen(r->name);
        if (strncmp(word, r->name, n) == 0 && (word[n] == '/' || !word[n]))
                word += word[n] ? n + 1 : n;
        for (const struct remote_release *rel = r->releases; rel->number; rel++)
                if (!*word || streq(word, rel->number) || streq(word, rel->codename)) {
                        *ret = rel;
                        return 0;
                }
        return unknown_release(r, alias, err);
}
