/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/lib/test.h"
#include "api/field.h"

struct sample {
        char *name;
        bool is_on;
        int64_t size, at, secret;
        struct strmap config;
        struct devices devices;
        struct strlist profiles;
};

static const struct field sample_fields[] = {
        FIELD(sample, name, "name", FIELD_STRING, FIELD_REQUIRED),
        FIELD(sample, is_on, "is_on", FIELD_BOOL, 0),
        FIELD(sample, size, "size", FIELD_INT, 0),
        FIELD(sample, at, "created_at", FIELD_TIME, FIELD_READONLY),
        FIELD(sample, secret, "secret", FIELD_INT, FIELD_STORED),
        FIELD(sample, config, "config", FIELD_STRMAP, 0),
        FIELD(sample, devices, "devices", FIELD_DEVICES, 0),
        FIELD(sample, profiles, "profiles", FIELD_STRLIST, 0),
        { 0 },
};
static const struct type sample_type = { "sample", sizeof(struct sample), sample_fields };

static int decode(const char *text, enum type_mode mode, struct sample *out, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        ASSERT_OK(json_parse(text, strlen(text), &o, NULL));
        return type_decode(&sample_type, o, mode, out, err);
}

static void expect_encoded(const struct sample *s, enum type_form form, const char *want)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        type_encode(&sample_type, s, form, &w);
        ASSERT_STR(strbuf_str(&b), want);
}

TEST(a_struct_round_trips_through_its_stored_form)
{
        struct sample s = { 0 }, again = { 0 };
        ASSERT_OK(decode("{\"name\":\"a\",\"is_on\":true,\"size\":3,\"config\":{\"b\":\"2\",\"a\":1},"
                         "\"devices\":{\"eth0\":{\"type\":\"nic\"}},\"profiles\":[\"x\"],\"unknown\":[1]}",
                         TYPE_REPLACE, &s, NULL));
        s.secret = 7;
        s.at = 1000000000;
        const char stored[] = "{\"name\":\"a\",\"is_on\":true,\"size\":3,\"created_at\":\"1970-01-01T00:00:01Z\",\"secret\":7,"
                              "\"config\":{\"a\":\"1\",\"b\":\"2\"},\"devices\":{\"eth0\":{\"type\":\"nic\"}},\"profiles\":[\"x\"]}";
        expect_encoded(&s, TYPE_STORED, stored);
        ASSERT_OK(decode(stored, TYPE_LOAD, &again, NULL));
        expect_encoded(&again, TYPE_STORED, stored);
        type_done(&sample_type, &s);
        type_done(&sample_type, &again);
}

TEST(a_client_can_neither_set_nor_see_what_is_not_his)
{
        struct sample s = { 0 };
        ASSERT_OK(decode("{\"name\":\"a\",\"created_at\":\"2020-01-01T00:00:00Z\",\"secret\":9}", TYPE_REPLACE, &s, NULL));
        ASSERT_EQ(s.at, 0);
        ASSERT_EQ(s.secret, 0);
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        type_encode(&sample_type, &s, TYPE_REST, &w);
        ASSERT_TRUE(strstr(b.data, "secret") == NULL);
        type_done(&sample_type, &s);
}

TEST(a_patch_merges_maps_and_leaves_the_rest)
{
        struct sample s = { 0 };
        ASSERT_OK(decode("{\"name\":\"a\",\"size\":3,\"config\":{\"a\":\"1\",\"b\":\"2\"},\"profiles\":[\"x\"]}", TYPE_REPLACE, &s, NULL));
        ASSERT_OK(decode("{\"config\":{\"b\":null,\"c\":\"3\"}}", TYPE_PATCH, &s, NULL));
        ASSERT_STR(strmap_get(&s.config, "a"), "1");
        ASSERT_STR(strmap_get(&s.config, "b"), NULL);
        ASSERT_STR(strmap_get(&s.config, "c"), "3");
        ASSERT_EQ(s.size, 3);
        ASSERT_EQ(s.profiles.n, 1);
        type_done(&sample_type, &s);
}

TEST(a_wrong_type_names_its_place_and_changes_nothing)
{
        static const struct {
                const char *text, *place;
        } rows[] = {
                { "{\"name\":3}", "sample.name" },
                { "{\"name\":\"b\",\"size\":\"3\"}", "sample.size" },
                { "{\"name\":\"b\",\"devices\":{\"eth0\":\"x\"}}", "sample.devices: eth0" },
                { "{\"name\":\"b\",\"config\":{\"k\":[]}}", "sample.config: k" },
                { "{\"name\":\"b\",\"profiles\":[1]}", "sample.profiles" },
                { "{\"size\":3}", "\"name\" is missing" },
                { "[]", "a JSON object is expected" },
        };
        struct sample s = { 0 };
        ASSERT_OK(decode("{\"name\":\"a\",\"size\":1}", TYPE_REPLACE, &s, NULL));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ struct error err = ERROR_INIT;
                ASSERT_ERR(decode(rows[i].text, TYPE_REPLACE, &s, &err), -EINVAL);
                ASSERT_CONTAINS(err.message, rows[i].place);
                ASSERT_STR(s.name, "a");
                ASSERT_EQ(s.size, 1);
        }
        type_done(&sample_type, &s);
}
