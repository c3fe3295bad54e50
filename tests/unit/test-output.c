/* SPDX-License-Identifier: Apache-2.0 */
/* links: lightc-lib */
#include "tests/lib/test.h"
#include "lightc/match.h"
#include "lightc/output.h"
#include "lightc/table.h"

static void fill(struct table *t, const char *const *cells, size_t n)
{
        table_add_column(t, "NAME");
        table_add_column(t, "STATE");
        for (size_t i = 0; i < n; i++)
                table_add_cell(t, cells[i]);
}

TEST(a_table_is_a_grid_with_centred_headers)
{
        static const char *const cells[] = { "c1", "RUNNING", "web-server", "STOPPED" };
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fill(&t, cells, ARRAY_SIZE(cells));
        table_draw(&t, &b);
        ASSERT_STR(strbuf_str(&b), "+------------+---------+\n"
                                   "|    NAME    |  STATE  |\n"
                                   "+------------+---------+\n"
                                   "| c1         | RUNNING |\n"
                                   "+------------+---------+\n"
                                   "| web-server | STOPPED |\n"
                                   "+------------+---------+\n");
}

TEST(an_empty_table_is_its_header)
{
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fill(&t, NULL, 0);
        table_draw(&t, &b);
        ASSERT_STR(strbuf_str(&b), "+------+-------+\n| NAME | STATE |\n+------+-------+\n");
}

TEST(compact_has_no_lines)
{
        static const char *const cells[] = { "c1", "RUNNING" };
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fill(&t, cells, ARRAY_SIZE(cells));
        table_draw_compact(&t, &b);
        ASSERT_STR(strbuf_str(&b), "  NAME   STATE   \n  c1    RUNNING  \n");
}

TEST(a_console_log_keeps_lines_and_colours_and_commands_no_terminal)
{
        static const char text[] = "[\033[0;32m  OK  \033[0m] up\r\n\033]0;title\007a\tb\rc\033[2J\033[12\302\233x";
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        output_add_console(&b, text, sizeof text - 1);
        ASSERT_STR(strbuf_str(&b), "[\033[0;32m  OK  \033[0m] up\r\n\\x1b]0;title\\x07a\tb\\x0dc\\x1b[2J\\x1b[12\\x9bx");
}

TEST(a_cell_commands_no_terminal)
{
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        table_add_column(&t, "NAME");
        table_add_cell(&t, "\033[2Jx");
        table_draw_compact(&t, &b);
        ASSERT_CONTAINS(b.data, "\\x1b[2Jx");
        ASSERT_TRUE(strchr(b.data, '\033') == NULL);
}

TEST(a_cell_may_have_several_lines)
{
        static const char *const cells[] = { "c1", "a\nbb" };
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fill(&t, cells, ARRAY_SIZE(cells));
        table_draw(&t, &b);
        ASSERT_CONTAINS(strbuf_str(&b), "| c1   | a     |\n|      | bb    |\n");
}

TEST(csv_quotes_what_needs_it_and_nothing_else)
{
        static const char *const cells[] = { "a,b", "say \"x\"", "c\nd", "plain" };
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fill(&t, cells, ARRAY_SIZE(cells));
        table_write_csv(&t, true, &b);
        ASSERT_STR(strbuf_str(&b), "NAME,STATE\n\"a,b\",\"say \"\"x\"\"\"\n\"c\nd\",plain\n");
}

TEST(a_narrow_terminal_cuts_the_widest_column)
{
        static const char *const cells[] = { "a-very-long-name-of-an-instance", "RUNNING" };
        _cleanup_table_ struct table t = { .max_width = 24 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fill(&t, cells, ARRAY_SIZE(cells));
        table_draw(&t, &b);
        ASSERT_EQ(strcspn(strbuf_str(&b), "\n"), 24);
        ASSERT_CONTAINS(strbuf_str(&b), "| a-very-lo… | RUNNING |");
}

TEST(width_counts_columns_not_bytes)
{
        ASSERT_EQ(text_width("abc", 3), 3);
        ASSERT_EQ(text_width("äöü", 6), 3);
        ASSERT_EQ(text_width("日本", 6), 4);
        ASSERT_EQ(text_width("e\xcc\x81", 3), 1);
        ASSERT_EQ(text_width("\xff", 1), 1);
}

TEST(rows_sort_with_numbers_by_value_and_empty_cells_last)
{
        static const char *const cells[] = { "", "x", "c10", "x", "c9", "x", "c010", "a" };
        _cleanup_table_ struct table t = { 0 };
        fill(&t, cells, ARRAY_SIZE(cells));
        table_sort(&t);
        ASSERT_STR(t.cells[0], "c9");
        ASSERT_STR(t.cells[6], "");
        ASSERT_TRUE(text_compare_natural("c2", "c10") < 0);
        ASSERT_TRUE(text_compare_natural("c10", "c10a") < 0);
        ASSERT_EQ(text_compare_natural("a", "a"), 0);
}

TEST(sizes_are_shown_with_two_digits)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        output_size_binary(588 * 1024, &b);
        strbuf_addc(&b, ' ');
        output_size_decimal(1076, &b);
        strbuf_addc(&b, ' ');
        output_size_decimal(516, &b);
        ASSERT_STR(strbuf_str(&b), "588.00KiB 1.08kB 516B");
}

TEST(columns_are_picked_by_letter)
{
        static const struct column all[] = { { 'n', "NAME", "name" }, { 's', "STATE", "status" }, { 0 } };
        _cleanup_error_ struct error err = ERROR_INIT;
        struct column *picked;
        size_t n;
        ASSERT_EQ(output_pick_columns(all, "s,n", &picked, &n, &err), 0);
        ASSERT_EQ(n, 2);
        ASSERT_STR(picked[0].header, "STATE");
        free(picked);
        ASSERT_EQ(output_pick_columns(all, "nx", &picked, &n, &err), STATUS_USAGE);
        ASSERT_CONTAINS(error_message(&err), "\"x\"");
}

static size_t count_matches(const char *json, const char *const *words, bool is_image)
{
        _cleanup_json_ struct json_object *items = NULL, *shown = NULL;
        ASSERT_OK(json_parse(json, strlen(json), &items, NULL));
        ASSERT_OK((is_image ? match_images : match_instances)(items, words, &shown, NULL));
        return json_object_array_length(shown);
}

TEST(instances_are_filtered_by_name_key_and_shorthand)
{
        static const char json[] =
                "[{\"name\":\"web1\",\"status\":\"Running\",\"type\":\"container\",\"ephemeral\":true,\"profiles\":[\"default\",\"big\"],\"expanded_config\":{\"user.owner\":\"ann\"},"
                "\"state\":{\"network\":{\"eth0\":{\"addresses\":[{\"address\":\"10.1.2.3\",\"scope\":\"global\"},"
                "{\"address\":\"fe80::1\",\"scope\":\"link\"},{\"address\":\"127.0.0.1\",\"scope\":\"local\"}]}}}},"
                "{\"name\":\"db\",\"status\":\"Stopped\",\"type\":\"container\",\"expanded_config\":{\"user.owner\":\"bob\"}}]";
        static const struct {
                const char *words[3];
                size_t n;
        } cases[] = {
                { { NULL }, 2 },           { { "web" }, 1 },          { { "w.*1$" }, 1 },
                { { "eb" }, 0 },           { { "u.own=ann" }, 1 },    { { "user.owner=a.*" }, 1 },
                { { "user.owner=nn" }, 0 }, { { "status=running,stopped" }, 2 }, { { "status=RUNNING" }, 1 },
                { { "name=w.*" }, 1 },     { { "ephemeral=true" }, 1 }, { { "profiles=big" }, 1 },
                { { "profiles=b" }, 0 },   { { "user.owner=" }, 0 },  { { "user.nothing=" }, 2 },
                { { "ipv6=fe80::/10" }, 1 }, { { "ipv4=127.0.0.0/8" }, 0 },
                { { "ipv4=10.0.0.0/8" }, 1 }, { { "ipv4=10.1.2.4" }, 0 }, { { "web", "status=stopped" }, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (count_matches(json, cases[i].words, false) != cases[i].n)
                        fail_msg("filter \"%s\" does not select %zu", cases[i].words[0], cases[i].n);
}

TEST(images_are_filtered_by_alias_fingerprint_and_property)
{
        static const char json[] = "[{\"fingerprint\":\"7e87aa\",\"aliases\":[{\"name\":\"busybox\"}],\"architecture\":\"x86_64\","
                                   "\"properties\":{\"os\":\"Debian\"}}]";
        ASSERT_EQ(count_matches(json, (const char *const[]){ "busy", NULL }, true), 1);
        ASSERT_EQ(count_matches(json, (const char *const[]){ "7e8", NULL }, true), 1);
        ASSERT_EQ(count_matches(json, (const char *const[]){ "os=Debian", "architecture=x86_64", NULL }, true), 1);
        ASSERT_EQ(count_matches(json, (const char *const[]){ "os=Alpine", NULL }, true), 0);
}

TEST(addresses_match_networks_bit_by_bit)
{
        ASSERT_TRUE(match_address("10.1.2.3", "10.1.2.0/30"));
        ASSERT_FALSE(match_address("10.1.2.4", "10.1.2.0/30"));
        ASSERT_TRUE(match_address("fd00::1", "fd00::/8"));
        ASSERT_FALSE(match_address("fd00::1", "10.0.0.0/8"));
        ASSERT_FALSE(match_address("nonsense", "10.0.0.0/8"));
}

TEST(an_error_names_its_object_once)
{
        ASSERT_TRUE(output_names("Instance \"c1\" is running", "c1"));
        ASSERT_TRUE(output_names("Instance \"c1\" is running", "local:c1"));
        ASSERT_TRUE(output_names("File \"/x\" not found in instance \"c1\"", "c1/x"));
        ASSERT_FALSE(output_names("Instance \"c11\" is running", "c1"));
        ASSERT_FALSE(output_names("Not authorized", "c1"));
}
