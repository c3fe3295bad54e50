/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
/* The engine without its process: migrations, groups, fates. */
#include "base/alloc.h"
#include "base/path.h"
#include "store/sqlite.h"
#include "tests/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct migration none[] = { { NULL, 0, NULL } };

static int colour_becomes_colors(struct json_object *body, struct error *err _unused_)
{
        _cleanup_json_ struct json_object *list = json_object_new_array();
        json_array_add_string(list, json_get_string(body, "colour", "grey"));
        json_set_take(body, "colors", TAKE_PTR(list));
        json_object_object_del(body, "colour");
        return 0;
}

static int colors_are_counted(struct json_object *body, struct error *err _unused_)
{
        json_set_int(body, "count", (int64_t)json_object_array_length(json_get_array(body, "colors")));
        return 0;
}

static int refuse(struct json_object *body _unused_, struct error *err)
{
        return error_set(err, ERR_INTERNAL, "The colour is unknown");
}

static const struct migration two_steps[] = { { "thing", 1, colour_becomes_colors },
                                              { "thing", 2, colors_are_counted },
                                              { NULL, 0, NULL } };
static const struct migration broken[] = { { "thing", 1, colour_becomes_colors },
                                           { "thing", 2, refuse },
                                           { NULL, 0, NULL } };

TEST(missing_steps_run_in_order_and_unknown_members_stay)
{
        _cleanup_json_ struct json_object *body = NULL;
        static const char text[] = "{\"colour\":\"red\",\"from-the-future\":{\"x\":[1]}}";
        ASSERT_OK(json_parse(text, strlen(text), &body, NULL));
        ASSERT_EQ(migrate_newest(two_steps, "thing"), 3);
        ASSERT_EQ(migrate_newest(two_steps, "other"), 1);
        ASSERT_OK(migrate_body(two_steps, "thing", 1, body, NULL));
        ASSERT_STR(json_text(body), "{\"from-the-future\":{\"x\":[1]},\"colors\":[\"red\"],\"count\":1}");
        ASSERT_ERR(migrate_body(two_steps, "thing", 4, body, NULL), -EBADFD);
}

/* The shipped table has no gap: from every schema there is a way to the newest. */
TEST(the_shipped_table_has_no_gap)
{
        for (const struct migration *m = store_migrations; m->kind; m++) {
                int below = m->from == 1;
                for (const struct migration *other = store_migrations; other->kind; other++)
                        below |= streq(other->kind, m->kind) && other->from == m->from - 1;
                ASSERT_TRUE(below && m->fn);
        }
}

/* A text of the first schema: templates had texts and no names. */
TEST(templates_of_instances_get_names)
{
        _cleanup_json_ struct json_object *body = NULL;
        static const char text[] = "{\"architecture\":\"x86_64\",\"templates\":{\"/etc/hostname\":{\"when\":[\"create\"],"
                                   "\"create_only\":true,\"properties\":null,\"text\":\"a\"},\"/x/hostname\":{\"text\":\"b\"},"
                                   "\"/.x\":{\"text\":\"c\"}},\"properties\":{\"os\":\"Debian\"},\"num\":7}";
        ASSERT_OK(json_parse(text, strlen(text), &body, NULL));
        ASSERT_OK(migrate_body(store_migrations, "instance", 1, body, NULL));
        ASSERT_STR(json_text(json_get_object(body, "template_files")),
                   "{\"hostname.tpl\":\"a\",\"1-hostname.tpl\":\"b\",\"2-.x.tpl\":\"c\"}");
        struct json_object *metadata = json_get_object(body, "metadata");
        ASSERT_STR(json_text(json_get_object(metadata, "properties")), "{\"os\":\"Debian\"}");
        struct json_object *row = json_get_object(json_get_object(metadata, "templates"), "/etc/hostname");
        ASSERT_STR(json_get_string(row, "template", NULL), "hostname.tpl");
        ASSERT_TRUE(json_get_bool(row, "create_only", false) && !json_has(row, "text"));
        ASSERT_TRUE(!json_has(body, "templates") && !json_has(body, "properties"));
        ASSERT_EQ(json_get_int(body, "num", 0), 7);
}

/* The engine works in the current directory. */
struct place {
        char path[64];
        int back;
};

static struct place place_new(void)
{
        struct place p = { "/tmp/store-engine-XXXXXX", open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) };
        assert_non_null(mkdtemp(p.path));
        ASSERT_OK(chdir(p.path));
        return p;
}

static void place_done(struct place *p)
{
        ASSERT_OK(fchdir(p->back));
        close(p->back);
        path_remove_tree(AT_FDCWD, p->path);
}
#define _cleanup_place_ _cleanup_(place_done)

static struct engine *open_engine(const struct migration *table)
{
        struct engine *e = NULL;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (engine_open("here", table, &e, &err) < 0)
                fail_msg("%s", error_message(&err));
        return e;
}

/* One transaction of one put, as the child would see it. */
static void make_commit(struct strbuf *b, uint64_t id, const char *name, uint64_t expect, const char *json,
                        struct wire_commit *ret)
{
        struct wire_commit numbers = { .id = id, .n_ops = 1 };
        struct frame f;
        size_t used;
        protocol_commit_begin(b);
        protocol_commit_add(b, &(struct wire_op){ OP_PUT, expect, "thing", "p", name, json });
        protocol_commit_seal(b, &numbers);
        ASSERT_EQ(protocol_next_frame(b->data, b->len, &f, &used), 1);
        ASSERT_OK(protocol_read_commit(&f, ret));
}

static int put(struct engine *e, uint64_t id, const char *name, uint64_t expect, const char *json)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_commit c;
        struct store_result result;
        make_commit(&b, id, name, expect, json, &c);
        ASSERT_OK(engine_commit(e, &c, 1, &result));
        return result.r;
}

static void add_text(void *data, const struct store_record *record)
{
        strbuf_addf(data, "%s@%lu/%d %s\n", record->name, (unsigned long)record->rev, record->schema,
                    record->json);
}

static size_t count_copies(void)
{
        size_t n = 0;
        DIR *d = opendir(".");
        for (struct dirent *e; (e = readdir(d));)
                n += str_starts(e->d_name, "lightd.db.2");
        closedir(d);
        return n;
}

TEST(an_old_database_is_copied_and_migrated)
{
        _cleanup_place_ struct place p = place_new();
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct engine *e = open_engine(none);
        ASSERT_OK(put(e, 1, "a", STORE_REV_NEW, "{\"colour\":\"red\",\"kept\":1}"));
        ASSERT_OK(put(e, 2, "b", STORE_REV_NEW, "{}"));
        engine_close(e);
        ASSERT_EQ(count_copies(), 0);
        e = open_engine(two_steps);
        ASSERT_OK(engine_load(e, add_text, &text));
        ASSERT_STR(text.data, "a@1/3 {\"kept\":1,\"colors\":[\"red\"],\"count\":1}\n"
                              "b@2/3 {\"colors\":[\"grey\"],\"count\":1}\n");
        ASSERT_EQ(count_copies(), 1);
        engine_close(e);
        engine_close(open_engine(two_steps));
        ASSERT_EQ(count_copies(), 1);
}

TEST(a_failed_migration_changes_nothing)
{
        _cleanup_place_ struct place p = place_new();
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        struct engine *e = open_engine(none);
        ASSERT_OK(put(e, 1, "a", STORE_REV_NEW, "{\"colour\":\"red\"}"));
        engine_close(e);
        ASSERT_TRUE(engine_open("here", broken, &e, &err) < 0);
        ASSERT_STR(err.message, "Upgrading thing \"a\": The colour is unknown");
        e = open_engine(none);
        ASSERT_OK(engine_load(e, add_text, &text));
        ASSERT_STR(text.data, "a@1/1 {\"colour\":\"red\"}\n");
        engine_close(e);
}

TEST(a_database_of_a_newer_release_is_refused_even_in_parts)
{
        _cleanup_place_ struct place p = place_new();
        _cleanup_error_ struct error err = ERROR_INIT;
        struct engine *e = open_engine(two_steps);
        ASSERT_OK(put(e, 1, "a", STORE_REV_NEW, "{}"));
        engine_close(e);
        ASSERT_ERR(engine_open("here", none, &e, &err), -EBADFD);
        ASSERT_CONTAINS(err.message, "\"here\" was written by a newer release");
        ASSERT_EQ(count_copies(), 0);
}

TEST(three_copies_are_kept)
{
        _cleanup_place_ struct place p = place_new();
        struct migration table[7] = { { NULL, 0, NULL } };
        for (int i = 0; i < 6; i++) {
                struct engine *e = open_engine(table);
                if (i == 0)
                        ASSERT_OK(put(e, 1, "a", STORE_REV_NEW, "{}"));
                engine_close(e);
                ASSERT_EQ(count_copies(), MIN(i, 3));
                table[i] = (struct migration){ "thing", i + 1, colour_becomes_colors };
        }
}

TEST(a_refused_one_leaves_its_group_alone)
{
        _cleanup_place_ struct place p = place_new();
        struct strbuf b[3] = { 0 };
        struct wire_commit group[3];
        struct store_result results[3];
        struct engine *e = open_engine(none);
        make_commit(&b[0], 1, "a", STORE_REV_NEW, "{}", &group[0]);
        make_commit(&b[1], 2, "a", STORE_REV_NEW, "{}", &group[1]);
        make_commit(&b[2], 3, "a", 1, "{}", &group[2]);
        ASSERT_OK(engine_commit(e, group, 3, results));
        ASSERT_EQ(results[0].r, 0);
        ASSERT_EQ(results[1].r, -EEXIST);
        ASSERT_EQ(results[2].r, 0);
        ASSERT_EQ(results[2].rev, 2);
        for (int i = 0; i < 3; i++)
                strbuf_done(&b[i]);
        engine_close(e);
}

TEST(the_fate_of_a_transaction_is_remembered)
{
        _cleanup_place_ struct place p = place_new();
        struct store_result result;
        struct wire_hello hello;
        struct engine *e = open_engine(none);
        ASSERT_OK(put(e, 5, "a", STORE_REV_NEW, "{}"));
        ASSERT_EQ(put(e, 6, "a", STORE_REV_NEW, "{}"), -EEXIST);
        engine_close(e);
        e = open_engine(none);
        engine_hello(e, &hello);
        ASSERT_EQ(hello.next_id, 6);
        ASSERT_OK(engine_settle(e));
        ASSERT_OK(engine_resolve(e, 5, &result));
        ASSERT_EQ(result.r, 0);
        ASSERT_EQ(result.rev, 1);
        ASSERT_OK(engine_resolve(e, 6, &result));
        ASSERT_EQ(result.r, -EHOSTDOWN);
        engine_close(e);
}
