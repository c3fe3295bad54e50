/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/units.h"
#include "images/worker/extract.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

/*
 * trusted.* is not for an image to set (trusted.overlay.* would steer our own overlay mounts), and labels of
 * security modules belong to the machine the archive came from.
 */
static bool is_wanted(const char *name)
{
        return str_starts(name, "user.") || streq(name, "security.capability");
}

static int set_xattrs(int fd, struct archive_entry *entry, const char **ret_what)
{
        const char *name;
        const void *value;
        size_t size;
        archive_entry_xattr_reset(entry);
        while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
                if (!name || !is_wanted(name))
                        continue;
                /* A file system without user attributes still makes a good root. */
                if (fsetxattr(fd, name, value, size, 0) < 0 &&
                    !(errno == ENOTSUP && str_starts(name, "user.")))
                        return *ret_what =
                                       str_starts(name, "user.") ? "a user attribute" : "file capabilities",
                               -errno;
        }
        return 0;
}

static uint16_t acl_tag(int tag)
{
        switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
                return ACL_USER_OBJ;
        case ARCHIVE_ENTRY_ACL_USER:
                return ACL_USER;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
                return ACL_GROUP_OBJ;
        case ARCHIVE_ENTRY_ACL_GROUP:
                return ACL_GROUP;
        case ARCHIVE_ENTRY_ACL_MASK:
                return ACL_MASK;
        default:
                return ACL_OTHER;
        }
}

/* The kernel wants its entries sorted by tag, and within users and groups by id. */
static int compare_entries(const void *a, const void *b)
{
        const struct posix_acl_xattr_entry *x = a, *y = b;
        if (x->e_tag != y->e_tag)
                return le16toh(x->e_tag) < le16toh(y->e_tag) ? -1 : 1;
        uint32_t p = le32toh(x->e_id), q = le32toh(y->e_id);
        return p == q ? 0 : p < q ? -1 : 1;
}

/* Archives made with numeric owners write the number where the name stands; libarchive leaves it a name. */
static void add_entry(struct strbuf *list, int permset, int tag, int64_t id, const char *name)
{
        bool has_id = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
        uint64_t number = 0;
        if (has_id && id < 0) {
                /* Whose right it is cannot be known here: it is left out, which gives nobody more. */
                if (!name || units_parse_uint(name, UINT32_MAX - 1, &number) < 0)
                        return;
                id = (int64_t)number;
        }
        struct posix_acl_xattr_entry e = { .e_tag = htole16(acl_tag(tag)),
                                           .e_perm = htole16((uint16_t)(permset & 7)),
                                           .e_id = htole32(has_id ? (uint32_t)id
                                                                  : (uint32_t)ACL_UNDEFINED_ID) };
        strbuf_add(list, &e, sizeof e);
}

static int set_acl(int fd, struct archive_entry *entry, int type, const char *xattr)
{
        struct posix_acl_xattr_header header = { htole32(POSIX_ACL_XATTR_VERSION) };
        _cleanup_strbuf_ struct strbuf blob = STRBUF_INIT_MAX(KiB(64));
        int entry_type, permset, tag, id;
        const char *name;
        /* With a want for its type libarchive also hands out the three entries that the mode stands for. */
        if (archive_entry_acl_reset(entry, type) == 0)
                return 0;
        strbuf_add(&blob, &header, sizeof header);
        while (archive_entry_acl_next(entry, type, &entry_type, &permset, &tag, &id, &name) == ARCHIVE_OK)
                add_entry(&blob, permset, tag, id, name);
        if (blob.is_over)
                return -E2BIG;
        size_t n = (blob.len - sizeof header) / sizeof(struct posix_acl_xattr_entry);
        qsort(blob.data + sizeof header, n, sizeof(struct posix_acl_xattr_entry), compare_entries);
        if (fsetxattr(fd, xattr, blob.data, blob.len, 0) < 0 && errno != ENOTSUP)
                return -errno;
        return 0;
}

int extract_attributes(int fd, struct archive_entry *entry, const char **ret_what)
{
        *ret_what = "an access list";
        int r = set_acl(fd, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access");
        if (r == 0)
                r = set_acl(fd, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default");
        return r < 0 ? r : set_xattrs(fd, entry, ret_what);
}
