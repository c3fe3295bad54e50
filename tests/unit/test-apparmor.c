/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/apparmor-profile.h"
#include "base/alloc.h"
#include "tests/lib/test.h"

static char *profile(bool is_privileged, bool is_nesting)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT, head = STRBUF_INIT;
        apparmor_profiles_write(&b);
        strbuf_addf(&head, "profile %s flags=", apparmor_profile_name(is_privileged, is_nesting));
        const char *from = strstr(b.data, head.data);
        ASSERT_TRUE(from != NULL);
        return xstrndup(from, (size_t)(strstr(from, "\n}\n") - from));
}

TEST(each_kind_has_a_profile)
{
        _cleanup_free_ char *plain = profile(false, false), *nesting = profile(false, true);
        _cleanup_free_ char *privileged = profile(true, false), *both = profile(true, true);
        ASSERT_CONTAINS(plain, "deny mount fstype=securityfs,");
        ASSERT_CONTAINS(nesting, "deny mount fstype=securityfs,");
        ASSERT_CONTAINS(privileged, "deny /proc/sys/fs/binfmt_misc");
        ASSERT_CONTAINS(both, "deny capability mac_admin");
        ASSERT_TRUE(strstr(plain, "binfmt_misc") == NULL);
}

TEST(under_nesting_no_path_of_proc_or_sys_is_named)
{
        _cleanup_free_ char *nesting = profile(false, true), *both = profile(true, true);
        ASSERT_TRUE(strstr(nesting, "/proc/") == NULL && strstr(nesting, "/sys/") == NULL);
        ASSERT_TRUE(strstr(both, "/proc/") == NULL && strstr(both, "/sys/") == NULL);
}

TEST(no_profile_lets_anybody_out)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        apparmor_profiles_write(&b);
        ASSERT_TRUE(strstr(b.data, "change_profile") == NULL && strstr(b.data, "unconfined,\n  ptrace (trace") == NULL);
        ASSERT_TRUE(strstr(b.data, " ux") == NULL);
}
