/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/apparmor-profile.h"
#include "base/macros.h"

#define PLAIN (1u << 0)
#define NESTING (1u << 1)
#define PRIVILEGED (1u << 2)
#define PRIVILEGED_NESTING (1u << 3)
#define NOT_NESTING (PLAIN | PRIVILEGED)
#define ALL (NOT_NESTING | NESTING | PRIVILEGED_NESTING)

static const char *const names[] = { APPARMOR_PREFIX, APPARMOR_PREFIX "-nesting", APPARMOR_PREFIX "-privileged",
                                     APPARMOR_PREFIX "-privileged-nesting" };

/*
 * Whole systems run inside, so all is allowed that does not reach the host. Under nesting no rule names a path below /proc or
 * /sys: engines write sysctls through a proc that is mounted nowhere, which AppArmor sees as "/sys/net/…". The same is why
 * rules for /sys elsewhere name nothing that exists below /proc/sys.
 */
static const struct {
        unsigned kinds;
        const char *text;
} rules[] = {
        { ALL, "capability," },
        { ALL, "file," },
        { ALL, "network," },
        { ALL, "unix," },
        { ALL, "dbus," },
        { ALL, "mount," },
        { ALL, "remount," },
        { ALL, "umount," },
        { ALL, "pivot_root," },
        /* Each other, and what the host does to them. Without a rule for change_profile nobody leaves. */
        { ALL, "ptrace peer=@{profile_name}," },
        { ALL, "ptrace (readby, tracedby) peer=unconfined," },
        { ALL, "signal peer=@{profile_name}," },
        { ALL, "signal (receive) peer=unconfined," },

        /* In a user namespace below the container's everybody has all capabilities again. */
        { NOT_NESTING | PRIVILEGED_NESTING, "deny capability mac_admin mac_override sys_module sys_rawio sys_time," },

        /* The host's own file systems, of which there is one for all. */
        { ALL, "deny mount fstype=debugfs," },
        { ALL, "deny mount fstype=tracefs," },
        { ALL, "deny mount fstype=securityfs," },
        { ALL, "deny mount fstype=configfs," },
        { ALL, "deny mount fstype=efivarfs," },
        { ALL, "deny mount fstype=pstore," },
        { PRIVILEGED | PRIVILEGED_NESTING, "deny mount fstype=binfmt_misc," },

        { NOT_NESTING, "deny /proc/{kcore,sysrq-trigger} rwkl," },
        { NOT_NESTING, "deny /proc/{acpi,bus,driver,fs,irq,scsi,tty}/** wkl," },
        { NOT_NESTING, "deny /proc/{mtrr,slabinfo,timer_list} wkl," },
        /* Of the sysctls: net, user, fs/mqueue, and of kernel hostname, domainname, msg*, sem*, shm* and ns_last_pid stay.
         * A denial has no exceptions, hence the spelling out by first letters. */
        { NOT_NESTING, "deny /proc/sys/[^fknu]*{,/**} wkl," },
        { NOT_NESTING, "deny /proc/sys/fs/[^bm]*{,/**} wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/[^dhmns]*{,/**} wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/d[^o]* wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/h[^o]* wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/ho[^s]* wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/m[^s]* wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/n[^s]* wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/s[^eh]*{,/**} wkl," },
        { NOT_NESTING, "deny /proc/sys/kernel/se[^m]*{,/**} wkl," },
        { PRIVILEGED, "deny /proc/sys/fs/binfmt_misc{,/**} wkl," }, /* else it is the user namespace's own */

        { NOT_NESTING, "deny /sys/{block,bus,firmware,hypervisor,module,power}/** wkl," },
        { NOT_NESTING, "deny /sys/kernel/{config,debug,security,tracing}/** rwkl," },
        { NOT_NESTING, "deny /sys/fs/{bpf,pstore}/** wkl," },
        { NOT_NESTING, "deny /sys/devices/[^v]** wkl," },
        { NOT_NESTING, "deny /sys/devices/virtual/[^n]** wkl," }, /* net: the container's own interfaces */
        { NOT_NESTING, "deny /sys/devices/virtual/powercap/** rwkl," },
};

const char *apparmor_profile_name(bool is_privileged, bool is_nesting)
{
        return names[(is_privileged ? 2 : 0) + (is_nesting ? 1 : 0)];
}

/*
 * abi: rules are read, and all classes this version does not know are left alone, whatever kernel and parser come later.
 * attach_disconnected: a command's descriptors and what was mounted by descriptor have no path inside.
 */
void apparmor_profiles_write(struct strbuf *to)
{
        strbuf_adds(to, "abi <abi/3.0>,\n");
        for (unsigned kind = 0; kind < ARRAY_SIZE(names); kind++) {
                strbuf_addf(to, "profile %s flags=(attach_disconnected, mediate_deleted) {\n", names[kind]);
                for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                        if (rules[i].kinds & (1u << kind))
                                strbuf_addf(to, "  %s\n", rules[i].text);
                strbuf_adds(to, "}\n");
        }
}
