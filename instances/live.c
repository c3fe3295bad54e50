/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/live.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

enum figure { MEMORY, MEMORY_PEAK, SWAP, PROCESSES, CPU, _FIGURE_MAX };

/*
 * Where a figure is, best first: %s is the container's cgroup. A hybrid host has controllers in v1 hierarchies, a pure
 * one all in cgroup2. `word`: the value follows this word in the file. `factor`: to the unit of live_figures.
 */
static const struct source {
        enum figure figure;
        const char *path, *word;
        int64_t factor;
} sources[] = {
        { MEMORY, "/sys/fs/cgroup/%s/memory.current", NULL, 1 },
        { MEMORY, "/sys/fs/cgroup/memory/%s/payload/memory.usage_in_bytes", NULL, 1 },
        { MEMORY_PEAK, "/sys/fs/cgroup/%s/memory.peak", NULL, 1 },
        { MEMORY_PEAK, "/sys/fs/cgroup/memory/%s/payload/memory.max_usage_in_bytes", NULL, 1 },
        { SWAP, "/sys/fs/cgroup/%s/memory.swap.current", NULL, 1 },
        { PROCESSES, "/sys/fs/cgroup/%s/payload/pids.current", NULL, 1 },
        { PROCESSES, "/sys/fs/cgroup/pids/%s/payload/pids.current", NULL, 1 },
        { CPU, "/sys/fs/cgroup/%s/payload/cpu.stat", "usage_usec ", 1000 },
        { CPU, "/sys/fs/cgroup/cpuacct/%s/payload/cpuacct.usage", NULL, 1 },
        { CPU, "/sys/fs/cgroup/unified/%s/payload/cpu.stat", "usage_usec ", 1000 },
};

struct live {
        int fds[_FIGURE_MAX];
        const struct source *from[_FIGURE_MAX];
};

struct live *live_open(const char *cgroup)
{
        struct live *l = xnew(struct live);
        for (int f = 0; f < _FIGURE_MAX; f++)
                l->fds[f] = -EBADF;
        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                const struct source *src = &sources[i];
                const char *mark = strstr(src->path, "%s");
                if (l->fds[src->figure] >= 0)
                        continue;
                _cleanup_free_ char *path = xasprintf("%.*s%s%s", (int)(mark - src->path), src->path, cgroup, mark + 2);
                l->fds[src->figure] = open(path, O_RDONLY | O_CLOEXEC);
                l->from[src->figure] = src;
        }
        return l;
}

void live_free(struct live *l)
{
        if (!l)
                return;
        for (int f = 0; f < _FIGURE_MAX; f++)
                fd_close(l->fds[f]);
        free(l);
}

static int64_t read_figure(struct live *l, enum figure f)
{
        char text[512];
        if (l->fds[f] < 0)
                return 0;
        ssize_t n = pread(l->fds[f], text, sizeof text - 1, 0);
        if (n <= 0)
                return 0;
        text[n] = '\0';
        const char *word = l->from[f]->word, *p = word ? strstr(text, word) : text;
        return p ? strtoll(p + (word ? strlen(word) : 0), NULL, 10) * l->from[f]->factor : 0;
}

void live_read(struct live *l, struct live_figures *ret)
{
        *ret = (struct live_figures){ 0 };
        if (!l)
                return;
        ret->memory_bytes = read_figure(l, MEMORY);
        ret->memory_peak_bytes = read_figure(l, MEMORY_PEAK);
        ret->swap_bytes = read_figure(l, SWAP);
        ret->processes = read_figure(l, PROCESSES);
        ret->cpu_ns = read_figure(l, CPU);
}
