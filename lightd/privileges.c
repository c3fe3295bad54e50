/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/privileges.h"
#include "base/macros.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int kept[] = {
        CAP_CHOWN,         /* the socket's group; cgroup files */
        CAP_DAC_OVERRIDE,  /* directories of others that it looks into: /proc/<pid>, run directories */
        CAP_KILL,          /* signals to inits, whose ids are the containers' */
        CAP_NET_ADMIN,     /* the namespaces' links and addresses over one netlink socket … */
        CAP_NET_BROADCAST, /* … with NETLINK_LISTEN_ALL_NSID */
        CAP_SYS_PTRACE,    /* /proc/<pid>/exe and ns of a guest's init */
};

int privileges_trim(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { 0 };
        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        uint64_t mask = 0, had = data[0].permitted | (uint64_t)data[1].permitted << 32;
        for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
                mask |= UINT64_C(1) << kept[i];
        mask &= had;
        for (int i = 0; i < 2; i++) {
                data[i].permitted = data[i].effective = (uint32_t)(mask >> (32 * i));
                data[i].inheritable = 0;
        }
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
