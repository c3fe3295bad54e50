/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key engine. Configuration is a map of strings everywhere; a row of a table gives a key its meaning: what it
 * may hold, where it may be set, who may set it, when it takes effect. Each family owns its tables; this knows no
 * object, no request and no effect of a key.
 *
 * A table is an array of rows sorted by name and ended by an empty row ({}). A validator gets a NULL-ended list of
 * tables, since one object can take keys of several (a pool: the common ones and its driver's).
 */
#pragma once

#include "base/error.h"
#include "base/strmap.h"

#define CONFIG_KEY_MAX 255            /* bytes of a key */
#define CONFIG_VALUE_MAX (KiB(64) - 1) /* bytes of a value */

enum config_scope {
        ON_INSTANCE = 1 << 0,
        ON_PROFILE = 1 << 1,
        ON_POOL = 1 << 2,
        ON_NETWORK = 1 << 3,
        ON_SERVER = 1 << 4,
        ON_PROJECT = 1 << 5,
        ON_DEVICE = 1 << 6,
};

/* What a restricted project asks before a key may be set. Zero is no class: a row without one does not compile (KEY). */
enum config_restriction {
        RESTRICT_NONE = 1,  /* harms nobody but the object itself */
        RESTRICT_NESTING,   /* opens the kernel to containers inside */
        RESTRICT_PRIVILEGE, /* takes a wall between guest and host away */
        RESTRICT_LOWLEVEL,  /* reaches past the product's own rules */
        RESTRICT_SERVER,    /* only the server's administrator */
        RESTRICT_DAEMON,    /* the daemon's own memory: clients send it back, they do not invent it */
        _RESTRICT_MAX,
};

enum config_update {
        UPDATE_LIVE = 1,   /* the next time anybody looks, a running instance included */
        UPDATE_ON_RESTART, /* at the next start */
        UPDATE_ON_CREATE,  /* only when the object is made; refused later */
};

struct config_key;

struct config_type {
        const char *name; /* "bool": the word in the reference */
        const char *form; /* "true or false": what a person is told */
        /* 0, -EINVAL (not of the form) or -ERANGE. The value is not empty. */
        int (*check)(const struct config_key *key, const char *value);
        bool has_lines; /* a value may hold line ends: it must never reach a file that others parse line by line */
        bool has_range; /* min and max mean something */
};

struct config_key {
        const char *name; /* "boot.autostart"; one '*' stands for one or more bytes: "user.*", "volatile.*.hwaddr" */
        enum config_restriction restriction;
        const struct config_type *type;
        unsigned scope;
        enum config_update update;
        int64_t min, max;           /* types with a range; max 0: the type's own */
        const char *const *choices; /* config_type_choice: NULL-ended */
        const char *fallback;       /* the value an absent key stands for; NULL: nothing */
        const char *since;          /* release */
        const char *summary;        /* one line for help and reference */
};

/* The first two are positional so that neither can be left out: KEY("user.*", NONE, .type = …) */
#define KEY(key, class, ...)                                                                                 \
        {                                                                                                    \
                .name = (key), .restriction = RESTRICT_##class, __VA_ARGS__                                  \
        }

extern const struct config_type config_type_bool;
extern const struct config_type config_type_int;    /* whole number, may be negative */
extern const struct config_type config_type_uint;
extern const struct config_type config_type_size;   /* bytes with or without a unit */
extern const struct config_type config_type_choice;
extern const struct config_type config_type_string; /* one line */
extern const struct config_type config_type_text;   /* lines */
extern const struct config_type config_type_path;   /* absolute, no "." or ".." in it */
extern const struct config_type config_type_hwaddr; /* six bytes: 00:16:3e:01:02:03, no multicast */

typedef const struct config_key *const *config_tables;

/* The row for a key, an exact name before a pattern; NULL: unknown. */
const struct config_key *config_find(config_tables tables, const char *key);
/*
 * Checks all of a map. An empty value is as good as none and always allowed. The sentence names the key, the value
 * and the form; an unknown key is refused by name, with the nearest one as hint.
 */
int config_validate(config_tables tables, const struct strmap *map, unsigned scope, struct error *err);
int config_validate_one(config_tables tables, const char *key, const char *value, unsigned scope, struct error *err);
/* Takes the empty values out: on the wire they unset a key. */
void config_drop_empty(struct strmap *map);

/* The value or the row's fallback; NULL when there is neither. */
const char *config_get(config_tables tables, const struct strmap *map, const char *key);
bool config_get_bool(config_tables tables, const struct strmap *map, const char *key);
int64_t config_get_int(config_tables tables, const struct strmap *map, const char *key);

/* Calls fn for each key that differs; old or new value is NULL when absent there. Stops at the first non-zero. */
int config_diff(const struct strmap *from, const struct strmap *to,
                int (*fn)(void *data, const char *key, const char *old_value, const char *new_value), void *data);

/* Refuses a change of a key that means something only when its object is made. */
int config_check_update(config_tables tables, const struct strmap *from, const struct strmap *to, struct error *err);

const char *config_restriction_name(enum config_restriction r); /* "nesting"; NULL for no class */
const char *config_update_name(enum config_update u);           /* "on restart" */
