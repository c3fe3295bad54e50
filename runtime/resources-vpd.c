/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data: resources of a tag, a length and bytes; of two of them the bytes are entries of the same make. */
#include "runtime/resources.h"

enum {
        TAG_IS_LARGE = 0x80,
        TAG_NAME = 0x82,
        TAG_READ_ONLY = 0x90,
        TAG_READ_WRITE = 0x91,
        TAG_END = 0x0f, /* of the small ones, without their length */
};

/* What a card says, as text: it may say anything. */
static void set_printable(struct json_object *o, const char *key, const uint8_t *data, size_t n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        while (n > 0 && (data[n - 1] == ' ' || data[n - 1] == '\0'))
                n--;
        for (size_t i = 0; i < n; i++)
                strbuf_addc(&b, data[i] >= ' ' && data[i] < 0x7f ? (char)data[i] : ' ');
        json_set_string(o, key, strbuf_str(&b));
}

static bool is_keyword(const uint8_t *key)
{
        return key[0] > ' ' && key[0] < 0x7f && key[1] > ' ' && key[1] < 0x7f;
}

static void add_entries(struct json_object *entries, const uint8_t *data, size_t n)
{
        while (n >= 3 && (size_t)data[2] + 3 <= n && is_keyword(data)) {
                char key[3] = { (char)data[0], (char)data[1], 0 };
                /* A checksum and room that is left are no words. */
                if (strcmp(key, "RV") != 0 && strcmp(key, "RW") != 0)
                        set_printable(entries, key, data + 3, data[2]);
                n -= (size_t)data[2] + 3;
                data += (size_t)data[2] + 3;
        }
}

struct json_object *resources_vpd_parse(const uint8_t *data, size_t n)
{
        struct json_object *o = json_object_new_object(), *entries = json_object_new_object();
        while (n > 0) {
                bool is_large = *data & TAG_IS_LARGE;
                size_t head = is_large ? 3 : 1;
                if (n < head || (!is_large && *data >> 3 == TAG_END))
                        break;
                size_t len = is_large ? (size_t)data[1] | (size_t)data[2] << 8 : *data & 7u;
                if (len > n - head)
                        break;
                if (*data == TAG_NAME)
                        set_printable(o, "product_name", data + head, len);
                else if (*data == TAG_READ_ONLY || *data == TAG_READ_WRITE)
                        add_entries(entries, data + head, len);
                data += head + len;
                n -= head + len;
        }
        if (json_object_object_length(entries))
                json_set_take(o, "entries", json_object_get(entries));
        json_object_put(entries);
        return o;
}
