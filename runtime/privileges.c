/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(n) (UINT64_C(1) << (n))
#define CAPABILITIES_MAX 63

/* The host's clock, modules, ports and security modules: of no use in a user namespace, dangerous without
 * one. */
#define HOST_CAPABILITIES                                                                                    \
        (BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_TIME) | BIT(CAP_MAC_ADMIN) |                 \
         BIT(CAP_MAC_OVERRIDE))

static int set_capabilities(uint64_t permitted, uint64_t inheritable)
{
        struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct d[2] = {
                { (uint32_t)permitted, (uint32_t)permitted, (uint32_t)inheritable },
                { (uint32_t)(permitted >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
        };
        return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

static int get_permitted(uint64_t *ret)
{
        struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct d[2] = { 0 };
        if (syscall(SYS_capget, &h, d) < 0)
                return -errno;
        *ret = d[0].permitted | (uint64_t)d[1].permitted << 32;
        return 0;
}

static int drop_bounding(uint64_t drop)
{
        for (int c = 0; c <= CAPABILITIES_MAX; c++) {
                if (!(drop & BIT(c)))
                        continue;
                if (prctl(PR_CAPBSET_DROP, c) < 0 && errno != EINVAL) /* EINVAL: unknown to this kernel */
                        return -errno;
        }
        return 0;
}

int privileges_drop_capabilities(const struct privileges *p)
{
        uint64_t never = 0, permitted = 0;
        /* A nested engine hands its own containers what it has; in a user namespace these open nothing. */
        if (p->is_privileged || !p->is_nesting)
                never |= HOST_CAPABILITIES;
        if (p->is_privileged)
                never |= BIT(CAP_SYSLOG); /* the host's kernel log, which a reader takes from all others */
        int r = drop_bounding(never | p->capabilities_drop);
        if (r == 0)
                r = get_permitted(&permitted);
        if (r == 0)
                r = set_capabilities(permitted & ~never, 0);
        if (r == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                r = -errno;
        return r;
}

int privileges_keep_only(uint64_t keep)
{
        int r = drop_bounding(~keep);
        if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                r = -errno;
        return r < 0 ? r : set_capabilities(keep, 0);
}
