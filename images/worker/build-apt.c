/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/build-apt.h"
#include "base/alloc.h"
#include "base/names.h"

#include <ctype.h>
#include <stdio.h>

const char *build_stage_name(enum build_stage stage)
{
        static const char *const names[_BUILD_STAGE_MAX] = { "resolve", "download", "unpack", "configure",
                                                             "squash" };
        return names[stage];
}

void build_watch_done(struct build_watch *w)
{
        free(TAKE_PTR(w->complaint));
}

static const struct {
        const char *begins;
        enum build_stage stage;
} stages[] = {
        { "I: running apt-get update", BUILD_RESOLVE },
        { "I: downloading packages", BUILD_DOWNLOAD },
        { "I: extracting archives", BUILD_UNPACK },
        { "I: installing essential packages", BUILD_CONFIGURE },
        { "I: installing remaining packages", BUILD_CONFIGURE },
};

/* The first row whose words occur decides; a later, more telling row does not replace an earlier complaint.
 */
static const struct {
        const char *words;
        enum error_code code;
} complaints[] = {
        { "No space left on device", ERR_NO_SPACE },
        { "You don't have enough free space", ERR_NO_SPACE },
        { "Unable to locate package", ERR_NOT_FOUND },
        { "has no installation candidate", ERR_NOT_FOUND },
        { "does not have a Release file", ERR_NOT_FOUND },
        { "NO_PUBKEY", ERR_FORBIDDEN },
        { "is not signed", ERR_FORBIDDEN },
        { "Temporary failure resolving", ERR_UNAVAILABLE },
        { "Could not resolve", ERR_UNAVAILABLE },
        { "Could not connect", ERR_UNAVAILABLE },
        { "Cannot initiate the connection", ERR_UNAVAILABLE },
        { "Unable to connect", ERR_UNAVAILABLE },
        { "Network is unreachable", ERR_UNAVAILABLE },
        { "Connection timed out", ERR_UNAVAILABLE },
        { "Failed to fetch", ERR_UNAVAILABLE },
        { "Some index files failed to download", ERR_UNAVAILABLE },
};

static void complain(struct build_watch *w, enum error_code code, const char *line)
{
        /* "E: …failed" of the program above the one that knew why. */
        if (w->code != ERR_NONE && w->code != ERR_INTERNAL)
                return;
        if (code == ERR_INTERNAL && w->code == ERR_INTERNAL)
                return;
        free(w->complaint);
        line += str_starts(line, "E: ") || str_starts(line, "W: ") ? 3 : strspn(line, " ");
        w->complaint = name_printable(line);
        w->code = code;
}

static void look_for_complaint(struct build_watch *w, const char *line)
{
        bool is_error = str_starts(line, "E: ") || str_starts(line, "W: ") || str_starts(line, "Err:") ||
                        strstr(line, "rror") || str_starts(line, "  ");
        if (!is_error)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(complaints); i++)
                if (strstr(line, complaints[i].words))
                        return complain(w, complaints[i].code, line);
        if (str_starts(line, "E: "))
                complain(w, ERR_INTERNAL, line);
}

void build_watch_line(struct build_watch *w, const char *line)
{
        unsigned n;
        for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
                if (str_starts(line, stages[i].begins))
                        w->stage = stages[i].stage;
        if (sscanf(line, "%*u upgraded, %u newly installed", &n) == 1)
                w->n_packages += MIN(n, 100000u);
        else if (str_starts(line, "Get:") && w->stage != BUILD_RESOLVE)
                w->n_fetched++;
        else if (str_starts(line, "Setting up "))
                w->n_configured++;
        else
                look_for_complaint(w, line);
}

int build_watch_percent(const struct build_watch *w)
{
        unsigned done = w->stage == BUILD_DOWNLOAD    ? w->n_fetched
                        : w->stage == BUILD_CONFIGURE ? w->n_configured
                                                      : 0;
        return w->n_packages ? (int)(MIN(done, w->n_packages) * 100 / w->n_packages) : 0;
}

/* "E: Unable to locate package NAME", "E: Package 'NAME' has no installation candidate": the name, or NULL. */
static char *package_of(const char *line)
{
        static const char locate[] = "Unable to locate package ", candidate[] = "Package '";
        const char *name = strstr(line, locate);
        if (name)
                name += strlen(locate);
        else if ((name = strstr(line, candidate)))
                name += strlen(candidate);
        return name ? xstrndup(name, strcspn(name, " '")) : NULL;
}

/* "The repository 'http://mirror/debian suite Release' does not have a Release file." */
static bool repository_of(const char *line, char **ret_uri, char **ret_suite)
{
        const char *uri = strstr(line, "The repository '");
        if (!uri)
                return false;
        uri += strlen("The repository '");
        size_t n = strcspn(uri, " '");
        if (uri[n] != ' ')
                return false;
        *ret_uri = xstrndup(uri, n);
        *ret_suite = xstrndup(uri + n + 1, strcspn(uri + n + 1, " '"));
        return true;
}

static int not_there(const char *image, const char *why, struct error *err)
{
        _cleanup_free_ char *package = package_of(why), *uri = NULL, *suite = NULL;
        if (package) {
                error_set(err, ERR_NOT_FOUND, "Building \"%s\": there is no package \"%s\" in it", image, package);
                return error_hint(err, "Packages are named as in Debian %s's archive: \"apt-cache search\" there finds them",
                                  image);
        }
        if (!repository_of(why, &uri, &suite))
                return error_set(err, ERR_NOT_FOUND, "Building \"%s\": %s", image, why);
        error_set(err, ERR_NOT_FOUND, "Building \"%s\": the mirror \"%s\" does not carry \"%s\"", image, uri, suite);
        return error_hint(err, "Add a mirror that has it to /etc/apt, or take another release");
}

int build_watch_failed(const struct build_watch *w, const char *image, struct error *err)
{
        const char *why = w->complaint ? w->complaint : "mmdebstrap ended without saying why";
        switch (w->code) {
        case ERR_NO_SPACE:
                return error_set(err, ERR_NO_SPACE, "Building \"%s\": No space left for its files", image);
        case ERR_NOT_FOUND:
                return not_there(image, why, err);
        case ERR_FORBIDDEN:
                return error_set(err, ERR_FORBIDDEN,
                                 "Building \"%s\": the packages' signatures cannot be checked: %s", image,
                                 why);
        case ERR_UNAVAILABLE:
                error_set(err, ERR_UNAVAILABLE, "Building \"%s\": the package mirror cannot be reached: %s",
                          image, why);
                return error_hint(err, "Check this host's network and its package sources in /etc/apt");
        default:
                return error_set(err, ERR_INTERNAL, "Building \"%s\": %s", image, why);
        }
}
