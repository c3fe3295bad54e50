/* SPDX-License-Identifier: Apache-2.0 */
/* links: daemon instances networks storage-pools images profiles projects server store config api */
/*
 * lightd init without a daemon: its questions, the plan of a document, and what is asked of the daemon in which order.
 * The daemon is the table below; daemon_ask() stands in for the one of lightd/client.c.
 */
#include "lightd/commands.h"
#include "lightd/init.h"
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "networks/networks.h"

#include <stdio.h>
#include <unistd.h>

static struct {
        struct json_object *objects; /* by path; a list has the path of its family */
        struct strbuf calls;         /* "PUT /1.0/profiles/default if=r1\n" of what changes something */
        const char *refused, *stale; /* a call that fails; one that finds somebody else's change */
} it;

static const char *etag_of(const char *path)
{
        return str_ends(path, "/default") ? "r1" : "r2";
}

int daemon_ask(const struct daemon_request *q, struct json_object **ret, char **ret_etag, struct error *err)
{
        _cleanup_free_ char *call = xasprintf("%s %s", q->method, q->path);
        struct json_object *found = NULL;
        if (ret_etag)
                *ret_etag = xstrdup(streq(q->method, "GET") ? etag_of(q->path) : "r9");
        if (streq(q->method, "GET")) {
                if (!json_object_object_get_ex(it.objects, q->path, &found))
                        return error_set(err, ERR_NOT_FOUND, "%s is not in the table", q->path);
                *ret = json_object_get(found);
                return 0;
        }
        strbuf_addf(&it.calls, "%s%s%s\n", call, q->if_match ? " if=" : "", q->if_match ? q->if_match : "");
        bool is_refused = it.refused && streq(call, it.refused), is_stale = it.stale && streq(call, it.stale);
        if (ret_etag && (is_refused || is_stale)) {
                free(*ret_etag);
                *ret_etag = NULL;
        }
        if (is_stale)
                return error_set(err, ERR_ETAG, "It was changed by somebody else meanwhile");
        return is_refused ? error_set(err, ERR_IN_USE, "It is in use") : 0;
}

int daemon_call(const char *method, const char *path, struct json_object *body, struct json_object **ret, struct error *err)
{
        return daemon_ask(&(struct daemon_request){ .method = method, .path = path, .body = body }, ret, NULL, err);
}

int command_failed(const struct error *err _unused_)
{
        return 1;
}

static struct json_object *tree(const char *text)
{
        struct json_object *o = NULL;
        ASSERT_OK(json_parse(text, strlen(text), &o, NULL));
        return o;
}

#define DEFAULT_PROFILE "{\"name\":\"default\",\"description\":\"\",\"config\":{},\"devices\":{}}"

static void daemon_is(const char *pools, const char *networks)
{
        static const char *const lists[] = { "/1.0/projects?recursion=1", "/1.0/storage-pools?recursion=1",
                                             "/1.0/networks?recursion=1", "/1.0/profiles?recursion=1" };
        const char *const texts[] = { "[{\"name\":\"default\",\"config\":{}}]", pools, networks, "[" DEFAULT_PROFILE "]" };
        json_object_put(it.objects);
        strbuf_done(&it.calls);
        it.refused = it.stale = NULL;
        it.objects = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                json_set_take(it.objects, lists[i], tree(texts[i]));
        json_set_take(it.objects, "/1.0/profiles/default", tree(DEFAULT_PROFILE));
        networks_set_fake(true);
}

static void daemon_done(void)
{
        json_object_put(it.objects);
        it.objects = NULL;
        strbuf_done(&it.calls);
}

/* ---- the questions ---- */

/* Standard input is `answers`, standard output goes into *out. */
static int interview(const char *answers, struct strbuf *out, struct json_object **ret, bool *ret_is_shown, struct error *err)
{
        static const struct init_wishes wishes = { 0 };
        FILE *in = tmpfile(), *said = tmpfile();
        int old_in = dup(0), old_out = dup(1);
        char piece[4096];
        ASSERT_TRUE(in && said && fputs(answers, in) >= 0);
        rewind(in);
        fflush(stdout);
        dup2(fileno(in), 0);
        dup2(fileno(said), 1);
        int r = init_interview(&wishes, ret, ret_is_shown, err);
        fflush(stdout);
        dup2(old_in, 0);
        dup2(old_out, 1);
        rewind(said);
        for (size_t n; (n = fread(piece, 1, sizeof piece, said)) > 0;)
                strbuf_add(out, piece, n);
        fclose(in);
        fclose(said);
        close(old_in);
        close(old_out);
        return r;
}

TEST(answers_become_a_document)
{
        static const struct {
                const char *answers, *document;
        } rows[] = {
                { "\nfast\ndir\n\nbr9\nnone\nnone\nyes\n",
                  "{\"storage_pools\":[{\"name\":\"fast\",\"driver\":\"dir\"}],"
                  "\"networks\":[{\"name\":\"br9\",\"type\":\"bridge\",\"config\":{\"ipv4.address\":\"none\",\"ipv6.address\":\"none\"}}],"
                  "\"profiles\":[{\"name\":\"default\",\"devices\":{\"root\":{\"type\":\"disk\",\"path\":\"/\",\"pool\":\"fast\"},"
                  "\"eth0\":{\"type\":\"nic\",\"name\":\"eth0\",\"network\":\"br9\"}}}]}" },
                { "no\nno\nno\nyes\n", "{\"storage_pools\":[],\"networks\":[],\"profiles\":[{\"name\":\"default\",\"devices\":{}}]}" },
                { "n\ny\nbr9\n10.3.0.1/24\nno\nnone\ny\n",
                  "{\"storage_pools\":[],\"networks\":[{\"name\":\"br9\",\"type\":\"bridge\",\"config\":{\"ipv4.address\":\"10.3.0.1/24\","
                  "\"ipv6.address\":\"none\"}}],\"profiles\":[{\"name\":\"default\",\"devices\":"
                  "{\"eth0\":{\"type\":\"nic\",\"name\":\"eth0\",\"network\":\"br9\"}}}]}" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
                _cleanup_error_ struct error err = ERROR_INIT;
                _cleanup_json_ struct json_object *document = NULL;
                bool is_shown = false;
                daemon_is("[]", "[]");
                if (interview(rows[i].answers, &out, &document, &is_shown, &err) < 0)
                        fail_msg("%s: %s", rows[i].answers, error_message(&err));
                ASSERT_STR(json_text(document), rows[i].document);
                ASSERT_TRUE(is_shown);
        }
        daemon_done();
}

TEST(a_wrong_answer_is_explained_and_asked_again)
{
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *document = NULL;
        bool is_shown = true;
        daemon_is("[]", "[]");
        ASSERT_OK(interview("maybe\nyes\n../x\nfast\nzfs\ndir\nno\nno\n\n", &out, &document, &is_shown, &err));
        ASSERT_CONTAINS(strbuf_str(&out), "\"maybe\" is neither yes nor no");
        ASSERT_CONTAINS(strbuf_str(&out), "Unknown storage backend \"zfs\". This release has");
        ASSERT_TRUE(!is_shown);
        daemon_done();
}

TEST(what_is_there_is_the_default)
{
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *document = NULL;
        bool is_shown;
        daemon_is("[{\"name\":\"mine\",\"driver\":\"dir\",\"config\":{}}]",
                  "[{\"name\":\"br3\",\"type\":\"bridge\",\"managed\":true,\"config\":{\"ipv4.address\":\"10.5.0.1/24\",\"ipv4.nat\":\"true\"}}]");
        ASSERT_OK(interview("\n\n\n\n\n\n\n\n", &out, &document, &is_shown, &err));
        ASSERT_CONTAINS(strbuf_str(&out), "Storage pool \"mine\" is there already, with the backend \"dir\"");
        ASSERT_CONTAINS(strbuf_str(&out), "Name of the bridge [br3]");
        ASSERT_CONTAINS(strbuf_str(&out), "[10.5.0.1/24]");
        ASSERT_CONTAINS(json_text(document), "\"ipv4.address\":\"10.5.0.1/24\"");
        daemon_done();
}

TEST(answers_that_end_change_nothing)
{
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *document = NULL;
        bool is_shown;
        daemon_is("[]", "[]");
        ASSERT_ERR(interview("yes\nfast\n", &out, &document, &is_shown, &err), -ENODATA);
        ASSERT_CONTAINS(error_message(&err), "nothing was changed");
        ASSERT_STR(strbuf_str(&it.calls), "");
        daemon_done();
}

/* ---- the plan ---- */

static int plan(const char *text, struct init_plan *ret, struct error *err)
{
        _cleanup_json_ struct json_object *document = tree(text);
        return init_plan_make(document, ret, err);
}

TEST(a_document_that_makes_no_sense_is_refused_before_anything_is_done)
{
        static const struct {
                const char *document, *part;
        } rows[] = {
                { "{\"network\":[]}", "Unknown key \"network\"" },
                { "{\"networks\":{}}", "must be a list" },
                { "{\"config\":[]}", "must be a map" },
                { "{\"profiles\":[{}]}", "has no \"name\"" },
                { "{\"profiles\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "given twice" },
                { "{\"profiles\":[{\"name\":\"a\",\"device\":{}}]}", "Unknown key \"device\"" },
                { "{\"profiles\":[{\"name\":\"a\",\"config\":{\"limits.nonsense\":\"1\"}}]}", "limits.nonsense" },
                { "{\"storage_pools\":[{\"name\":\"p\",\"driver\":\"zfs\"}]}", "zfs" },
                { "{\"config\":{\"core.https_address\":\":8443\"}}", "core.https_address" },
                { "{\"cluster\":{\"enabled\":true}}", "not there in this release" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ struct error err = ERROR_INIT;
                struct init_plan p;
                daemon_is("[]", "[]");
                int r = plan(rows[i].document, &p, &err);
                if (r >= 0 || !strstr(error_message(&err), rows[i].part))
                        fail_msg("%s: %d %s", rows[i].document, r, error_message(&err));
                ASSERT_STR(strbuf_str(&it.calls), "");
                init_plan_done(&p);
        }
        daemon_done();
}

TEST(steps_are_done_in_order_and_what_is_the_same_is_kept)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct init_plan p;
        daemon_is("[]", "[]");
        ASSERT_OK(plan("{\"profiles\":[{\"name\":\"default\",\"description\":\"\"},{\"name\":\"web\"}]}", &p, &err));
        ASSERT_OK(init_plan_apply(&p, &err));
        ASSERT_STR(strbuf_str(&it.calls), "POST /1.0/profiles\n");
        init_plan_done(&p);
        daemon_done();
}

TEST(a_step_that_fails_takes_back_the_others_last_first_and_only_as_they_were_left)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct init_plan p;
        daemon_is("[]", "[]");
        ASSERT_OK(plan("{\"profiles\":[{\"name\":\"web\"},{\"name\":\"default\",\"description\":\"x\"}]}", &p, &err));
        it.refused = "PUT /1.0/profiles/default";
        ASSERT_ERR(init_plan_apply(&p, &err), -EBUSY);
        ASSERT_STR(strbuf_str(&it.calls), "POST /1.0/profiles\nPUT /1.0/profiles/default if=r1\nDELETE /1.0/profiles/web if=r9\n");
        ASSERT_CONTAINS(error_message(&err), "Profile \"default\"");
        ASSERT_CONTAINS(err.hint, "the server is as it was");
        init_plan_done(&p);
        daemon_done();
}

TEST(what_somebody_else_changed_is_not_written_over)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct init_plan p;
        daemon_is("[]", "[]");
        ASSERT_OK(plan("{\"profiles\":[{\"name\":\"default\",\"description\":\"x\"}]}", &p, &err));
        it.stale = "PUT /1.0/profiles/default";
        ASSERT_ERR(init_plan_apply(&p, &err), -ESTALE);
        ASSERT_STR(strbuf_str(&it.calls), "PUT /1.0/profiles/default if=r1\n");
        init_plan_done(&p);
        daemon_done();
}

TEST(what_somebody_else_changed_is_not_undone)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct init_plan p;
        daemon_is("[]", "[]");
        ASSERT_OK(plan("{\"profiles\":[{\"name\":\"web\"},{\"name\":\"default\",\"description\":\"x\"}]}", &p, &err));
        it.refused = "PUT /1.0/profiles/default";
        it.stale = "DELETE /1.0/profiles/web";
        ASSERT_ERR(init_plan_apply(&p, &err), -EBUSY);
        ASSERT_CONTAINS(err.hint, "could not be undone");
        init_plan_done(&p);
        daemon_done();
}
