/* SPDX-License-Identifier: Apache-2.0 */
/* links: storage-pools projects server config api base */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "base/strbuf.h"
#include "storage-pools/driver.h"
#include "storage-pools/internal.h"

#include <ctype.h>

TEST(squashfs_is_mapped_from_kernel_6_2_on)
{
        ASSERT_FALSE(kernel_can_map_squashfs("5.15.0-91-generic"));
        ASSERT_FALSE(kernel_can_map_squashfs("6.1.0-18-amd64"));
        ASSERT_TRUE(kernel_can_map_squashfs("6.2"));
        ASSERT_TRUE(kernel_can_map_squashfs("6.10.1"));
        ASSERT_TRUE(kernel_can_map_squashfs("7.0"));
        ASSERT_FALSE(kernel_can_map_squashfs("strange"));
}

static void note(void *data, const char *rest)
{
        strbuf_addf(data, "%s|", rest);
}

TEST(mounted_layers_are_found_in_the_mount_table)
{
        static const char table[] =
                "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"
                "30 22 7:0 / /run/d/layers/default/aa ro,nosuid,nodev - squashfs /dev/loop0 ro\n"
                "31 22 7:1 / /run/d/layers/a\\040b\\134c/bb ro shared:1 - squashfs /dev/loop1 ro\n"
                "32 22 7:1 / /run/d/layersx/cc ro - squashfs /dev/loop1 ro\n"
                "33 22\n\n"
                "34 22 7:2 / /run/d/layers/default/dd";
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        mountinfo_each_below(table, "/run/d/layers/", note, &b);
        ASSERT_STR(b.data, "default/aa|a b\\c/bb|default/dd|");
        strbuf_clear(&b);
        mountinfo_each_below("", "/run/", note, &b);
        ASSERT_EQ(b.len, 0);
}

TEST(sources_may_not_overlap)
{
        static const char *const others[] = { "/srv/pool", "/mnt" };
        static const struct {
                const char *source;
                bool is_good;
        } cases[] = {
                { "/srv/other", true },
                { "/srv/pool2", true },
                { "/srv/pool", false },
                { "/srv/pool/inner", false },
                { "/srv", false },
                { "/", false },
                { "/mnt/x", false },
                { "/var/lib/lightd", false },
                { "/var/lib/lightd/database", false },
                { "/var/lib/lightd/storage-pools", false },
                { "/var/lib/lightd/storage-pools/", false },
                { "/var/lib/lightd/storage-pools/p", true },
                { "/var/lib", false },
                { "/var/lib/lightd2", true },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int r = storage_pool_check_source(cases[i].source, "/var/lib/lightd", others, 2, NULL);
                if ((r >= 0) != cases[i].is_good)
                        fail_msg("%s: %d", cases[i].source, r);
        }
}

TEST(every_driver_is_complete_and_every_pool_key_too)
{
        ASSERT_STR(storage_drivers[0]->name, "overlay");
        for (const struct storage_driver *const *d = storage_drivers; *d; d++) {
                ASSERT_TRUE((*d)->volume_fill && (*d)->rootfs && (*d)->keys && (*d)->usage_part);
                ASSERT_TRUE(!str_empty((*d)->summary));
                ASSERT_TRUE(storage_driver_find((*d)->name) == *d);
                for (config_tables t = storage_driver_tables(*d); *t; t++)
                        for (const struct config_key *k = *t; k->name; k++) {
                                ASSERT_TRUE(config_restriction_name(k->restriction) != NULL);
                                ASSERT_TRUE(config_update_name(k->update) != NULL);
                                ASSERT_TRUE(k->scope == ON_POOL && k->type && !str_empty(k->since));
                                ASSERT_TRUE(isupper((unsigned char)k->summary[0]));
                                ASSERT_TRUE(!k[1].name || strcmp(k->name, k[1].name) < 0);
                        }
        }
        ASSERT_TRUE(storage_driver_find("zfs") == NULL);
}

TEST(layer_files_have_the_name_of_their_form)
{
        _cleanup_free_ char *a = layer_file_name("ab", LAYER_SQUASHFS), *b = layer_file_name("ab", LAYER_DIRECTORY);
        ASSERT_STR(a, "ab.squashfs");
        ASSERT_STR(b, "ab");
}
