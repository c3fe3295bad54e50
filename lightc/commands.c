/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/commands.h"
#include "base/nearest.h"

#define COMMANDS                                                                                             \
        X(alias)                                                                                             \
        X(alias_add)                                                                                         \
        X(alias_list)                                                                                        \
        X(alias_remove)                                                                                      \
        X(alias_rename)                                                                                      \
        X(completion)                                                                                        \
        X(config)                                                                                            \
        X(config_device)                                                                                     \
        X(config_device_add)                                                                                 \
        X(config_device_get)                                                                                 \
        X(config_device_list)                                                                                \
        X(config_device_override)                                                                            \
        X(config_device_remove)                                                                              \
        X(config_device_set)                                                                                 \
        X(config_device_show)                                                                                \
        X(config_device_unset)                                                                               \
        X(config_edit)                                                                                       \
        X(config_get)                                                                                        \
        X(config_metadata)                                                                                   \
        X(config_metadata_edit)                                                                              \
        X(config_metadata_show)                                                                              \
        X(config_set)                                                                                        \
        X(config_show)                                                                                       \
        X(config_template)                                                                                   \
        X(config_template_create)                                                                            \
        X(config_template_delete)                                                                            \
        X(config_template_edit)                                                                              \
        X(config_template_list)                                                                              \
        X(config_template_show)                                                                              \
        X(config_unset)                                                                                      \
        X(console)                                                                                           \
        X(copy)                                                                                              \
        X(delete)                                                                                            \
        X(doctor)                                                                                            \
        X(exec)                                                                                              \
        X(file)                                                                                              \
        X(file_delete)                                                                                       \
        X(file_edit)                                                                                         \
        X(file_pull)                                                                                         \
        X(file_push)                                                                                         \
        X(image)                                                                                             \
        X(image_alias)                                                                                       \
        X(image_alias_create)                                                                                \
        X(image_alias_delete)                                                                                \
        X(image_alias_list)                                                                                  \
        X(image_alias_rename)                                                                                \
        X(image_build)                                                                                       \
        X(image_delete)                                                                                      \
        X(image_edit)                                                                                        \
        X(image_export)                                                                                      \
        X(image_get_property)                                                                                \
        X(image_import)                                                                                      \
        X(image_info)                                                                                        \
        X(image_list)                                                                                        \
        X(image_set_property)                                                                                \
        X(image_show)                                                                                        \
        X(image_unset_property)                                                                              \
        X(info)                                                                                              \
        X(init)                                                                                              \
        X(launch)                                                                                            \
        X(list)                                                                                              \
        X(logs)                                                                                              \
        X(monitor)                                                                                           \
        X(move)                                                                                              \
        X(network)                                                                                           \
        X(network_info)                                                                                      \
        X(network_list)                                                                                      \
        X(network_list_leases)                                                                               \
        X(network_show)                                                                                      \
        X(operation)                                                                                         \
        X(operation_delete)                                                                                  \
        X(operation_list)                                                                                    \
        X(operation_show)                                                                                    \
        X(pause)                                                                                             \
        X(profile)                                                                                           \
        X(profile_list)                                                                                      \
        X(profile_show)                                                                                      \
        X(project)                                                                                           \
        X(project_info)                                                                                      \
        X(project_list)                                                                                      \
        X(project_show)                                                                                      \
        X(query)                                                                                             \
        X(remote)                                                                                            \
        X(remote_get_default)                                                                                \
        X(remote_list)                                                                                       \
        X(rename)                                                                                            \
        X(restart)                                                                                           \
        X(shell)                                                                                             \
        X(start)                                                                                             \
        X(stop)                                                                                              \
        X(storage)                                                                                           \
        X(storage_info)                                                                                      \
        X(storage_list)                                                                                      \
        X(storage_show)                                                                                      \
        X(top)                                                                                               \
        X(version)                                                                                           \
        X(wait)

#define X(name) extern const struct command cmd_##name;
COMMANDS
#undef X

#define X(name) &cmd_##name,
const struct command *const commands[] = { COMMANDS NULL };
#undef X

const struct option command_global_options[] = {
        { .name = "help", .letter = 'h', .help = "Explain the command" },
        { .name = "project", .value = "name", .help = "Work in this project" },
        { .name = "quiet", .letter = 'q', .help = "No progress" },
        { .name = "verbose", .letter = 'v', .help = "A line per stage where no progress can be drawn" },
        { .name = "debug", .help = "Show each request and answer" },
        { .name = "color", .value = "auto|always|never", .help = "Colours" },
        { .name = "force-local", .help = "Use the unix socket (always the case)" },
        { .name = "version", .help = "Print the version" },
        { 0 },
};

const struct command *command_find(const char *path)
{
        for (const struct command *const *c = commands; *c; c++)
                if (streq((*c)->path, path))
                        return *c;
        return NULL;
}

const char *command_word(const struct command *c)
{
        const char *space = strrchr(c->path, ' ');
        return space ? space + 1 : c->path;
}

bool command_is_child(const struct command *group, const struct command *c)
{
        size_t n = group ? strlen(group->path) : 0;
        if (!group)
                return !strchr(c->path, ' ');
        return strncmp(c->path, group->path, n) == 0 && c->path[n] == ' ' && !strchr(c->path + n + 1, ' ');
}

/* Is word among the space-separated ones? */
static bool is_listed(const char *words, const char *word)
{
        size_t n = strlen(word);
        for (const char *p = words; p && *p; p += strcspn(p, " "), p += strspn(p, " "))
                if (strcspn(p, " ") == n && memcmp(p, word, n) == 0)
                        return true;
        return false;
}

const struct command *command_child(const struct command *group, const char *word)
{
        for (const struct command *const *c = commands; *c; c++)
                if (command_is_child(group, *c) && (streq(command_word(*c), word) || is_listed((*c)->aliases, word)))
                        return *c;
        return NULL;
}

const struct arg *command_argument(const struct command *c, size_t position)
{
        const struct arg *last = NULL;
        for (const struct arg *a = c->args; a && a->name; a++) {
                last = a;
                if (position-- == 0)
                        return a;
        }
        return last && last->is_repeated ? last : NULL;
}

const struct command *command_nearest(const struct command *group, const char *word)
{
        struct nearest near = nearest_to(word);
        for (const struct command *const *c = commands; *c; c++)
                if (command_is_child(group, *c))
                        nearest_offer(&near, command_word(*c));
        return near.best ? command_child(group, near.best) : NULL;
}
