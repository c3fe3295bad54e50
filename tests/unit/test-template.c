/* SPDX-License-Identifier: Apache-2.0 */
/* links: instances */
#include "tests/lib/test.h"
#include "instances/template.h"

static int render(const char *text, struct strbuf *out, struct error *err)
{
        struct strmap config = STRMAP_INIT;
        struct template_values v = { .name = "c1", .architecture = "x86_64", .path = "/etc/hostname", .trigger = "create",
                                     .config = &config };
        v.properties = json_object_new_object();
        json_set_string(v.properties, "os", "Debian");
        strmap_set(&config, "user.x", "yes");
        int r = template_render(text, &v, out, err);
        strmap_done(&config);
        json_object_put(v.properties);
        return r;
}

TEST(templates_of_real_images_are_rendered)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "{{ container.name }}\n", "c1\n" },
                { "{{instance.name}}.{{ properties.os }}", "c1.Debian" },
                { "{{ config_get(\"user.x\", \"no\") }}", "yes" },
                { "{{ config_get(\"user.y\", properties.os) }}", "Debian" },
                { "{% if config_get(\"user.y\", \"\") == \"\" %}\nnone\n{% else %}\nsome\n{% endif %}\nend\n", "none\nend\n" },
                { "{% if trigger == \"copy\" %}a{% else %}{% if path != \"x\" %}b{% endif %}c{% endif %}", "bc" },
                { "{% if not container.privileged %}plain{% endif %}", "plain" },
                { "no braces { } { {", "no braces { } { {" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
                _cleanup_error_ struct error err = ERROR_INIT;
                if (render(rows[i].text, &out, &err) < 0)
                        fail_msg("%s: %s", rows[i].text, error_message(&err));
                ASSERT_STR(strbuf_str(&out), rows[i].want);
        }
}

TEST(what_a_template_may_not_say_is_named)
{
        static const char *const rows[] = { "{% for x in y %}", "{{ secret }}", "{{ container.pid }}", "{{ name",
                                            "{% if a %}", "{% if path == \"x\" %}", "{% endif %}", "{{ config_get(\"a\" }}",
                                            "{{ \"open }}", "{{ path path }}" };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
                _cleanup_error_ struct error err = ERROR_INIT;
                ASSERT_TRUE(render(rows[i], &out, &err) < 0);
                ASSERT_CONTAINS(error_message(&err), "understood");
        }
}
