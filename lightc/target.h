/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is pointed at: "[remote:]name[/snapshot]", objects of the API that are read, changed and written
 * back, key=value words. Knows the API's addresses; nothing of how things are printed.
 */
#pragma once

#include "lightc/args.h"
#include "lightc/client.h"

/* The word without "local:"; any other remote is refused with a sentence. */
int target_strip(const char *word, const char **ret, struct error *err);
bool target_is_remote_only(const char *word); /* "local:" */
/* A server named alone, wherever the command takes one: commands need not look whether there is such a server. */
int target_check_remotes(const struct args *a, struct error *err);
/* "[remote:]name/snapshot" -> name (owned) and what follows the slash, NULL without one. */
int target_split(const char *word, char **ret_name, const char **ret_rest, struct error *err);

/* /1.0/instances/<name>[/snapshots/<snapshot>] for a word. The caller frees. */
int target_instance(const struct client *c, const char *word, char **ret_url, struct error *err);
/* The name alone, where no snapshot may be meant. The caller frees. */
int target_instance_name(const char *word, char **ret_name, struct error *err);
/* /1.0/<collection>/<name> */
int target_object(const struct client *c, const char *collection, const char *word, char **ret_url, struct error *err);

/* One object to be changed: read with its ETag, written back whole. */
struct object {
        char *url, *etag;
        struct json_object *body; /* only what may be written */
};
void object_done(struct object *o);
#define _cleanup_object_ _cleanup_(object_done)
/* kind picks the writable members: "instance", "profile", "server", "snapshot", "image", "metadata". Takes url. */
int object_load(struct client *c, const char *kind, char *take_url, struct object *ret, struct error *err);
int object_save(struct client *c, const struct object *o, const char *stage, struct error *err);
/* In an editor or from standard input; comment stands above the text. */
int object_edit(struct client *c, struct object *o, const char *comment, const char *stage, struct error *err);
/* A copy with only the members of that kind that may be written. */
struct json_object *object_writable(const char *kind, struct json_object *whole);
/* o[key] as an object, made if it is not there. */
struct json_object *object_map(struct json_object *o, const char *key);

/* "key=value" into map[key]; "key=-" takes the value from stdin. */
int target_set(struct json_object *map, const char *word, struct error *err);
/* All words from the i-th on; the older form "key value" is understood when exactly two are left. */
int target_set_words(struct json_object *map, const struct args *a, size_t i, struct error *err);

int target_read_stdin(struct strbuf *out, struct error *err);
