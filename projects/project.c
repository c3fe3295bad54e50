/* SPDX-License-Identifier: Apache-2.0 */
#include "projects/projects.h"
#include "base/alloc.h"

const struct object_kind project_kind = { .name = "project", .title = "Project", .type = &project_type, .schema = 1 };

/* NULL: every project has its own. Both names are written, as LXD's clients expect to see them. */
static const char *const feature_keys[] = {
        [PROJECT_IMAGES] = "features.images",
        [PROJECT_NETWORKS] = "features.networks",
        [PROJECT_PROFILES] = "features.profiles",
        [PROJECT_VOLUMES] = "features.storage.volumes",
        [PROJECT_INSTANCES] = NULL,
};

void projects_first_start(struct server *s _unused_, struct change *c)
{
        struct project *p = type_new(&project_type);
        p->name = xstrdup("default");
        p->description = xstrdup("Where everything is that names no project");
        for (size_t i = 0; i < ARRAY_SIZE(feature_keys); i++)
                if (feature_keys[i])
                        strmap_set(&p->config, feature_keys[i], "true");
        change_put(c, &project_kind, "", "default", OBJECT_REV_NEW, p);
}

const char *project_effective(struct server *s, const char *project, enum project_feature feature)
{
        const struct object *o = object_find(s, &project_kind, "", project);
        if (!o || !feature_keys[feature])
                return project;
        const struct project *p = o->body;
        return strmap_get_bool(&p->config, feature_keys[feature], false) ? o->name : "default";
}

int project_of_request(struct request *req, enum project_feature feature, const char **ret_project,
                       struct error *err)
{
        struct object *o;
        int r = object_get(req->server, &project_kind, "", req->project, &o, err);
        if (r < 0)
                return r;
        *ret_project = project_effective(req->server, o->name, feature);
        return 0;
}
