/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/image.h"
#include "base/alloc.h"
#include "lightc/target.h"

static bool is_hex(const char *word)
{
        return strlen(word) >= 6 && strspn(word, "0123456789abcdef") == strlen(word);
}

int image_resolve(struct client *c, const char *word, char **ret_fingerprint, struct error *err)
{
        _cleanup_json_ struct json_object *alias = NULL;
        _cleanup_error_ struct error why = ERROR_INIT;
        int r = target_strip(word, &word, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "images", "aliases", word, NULL);
        r = client_get(c, url, &alias, &why);
        if (r == 0)
                *ret_fingerprint = xstrdup(json_get_string(alias, "target", ""));
        else if (why.code == ERR_NOT_FOUND && is_hex(word))
                *ret_fingerprint = xstrdup(word), r = 0;
        else if (why.code == ERR_NOT_FOUND) {
                r = error_set(err, ERR_NOT_FOUND, "Image \"%s\" not found", word);
                error_hint(err, "\"lightc image list\" lists the images there are");
        } else
                error_move(err, &why);
        return r;
}

int image_fetch(struct client *c, const char *word, struct json_object **ret, struct error *err)
{
        _cleanup_free_ char *fingerprint = NULL;
        int r = image_resolve(c, word, &fingerprint, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "images", fingerprint, NULL);
        return client_get(c, url, ret, err);
}

static bool is_fingerprint(const char *word)
{
        return strlen(word) >= 12 && strspn(word, "0123456789abcdef") == strlen(word);
}

struct json_object *image_source(const char *image)
{
        struct json_object *source = json_object_new_object();
        const char *colon = strchr(image, ':');
        bool is_local = colon && (size_t)(colon - image) == 5 && memcmp(image, "local", 5) == 0;
        json_set_string(source, "type", "image");
        if (colon && !is_local) {
                _cleanup_free_ char *server = xstrndup(image, (size_t)(colon - image));
                json_set_string(source, "mode", "pull");
                json_set_string(source, "alias", colon + 1);
                json_set_string(source, "server", server);
                json_set_string(source, "protocol", "lightvisor-build");
                return source;
        }
        const char *name = is_local ? colon + 1 : image;
        json_set_string(source, is_fingerprint(name) ? "fingerprint" : "alias", name);
        return source;
}
