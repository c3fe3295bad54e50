/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person's own names for commands, in the file "config.yml" of LIGHTC_CONF (~/.config/lightc), under "aliases". A name
 * may have several words; its target may hold @ARGS@ (all words that follow) and @ARG1@, @ARG2@ … (one of them).
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

/* The whole file as it is, {} when there is none. The caller puts it. */
int alias_load(struct json_object **ret_config, struct error *err);
int alias_save(struct json_object *config, struct error *err);
/* config's "aliases", made if it is not there. Borrowed. */
struct json_object *alias_map(struct json_object *config);

/*
 * The command line with the alias it begins with replaced by its target, once: no alias leads to another. *ret_argv is
 * argv itself when none fits, else a list that lives as long as the program. A file that cannot be read gets
 * a warning: a command that is none of its aliases is done all the same.
 */
void alias_expand(int argc, const char *const *argv, int *ret_argc, const char *const **ret_argv);
