/* SPDX-License-Identifier: Apache-2.0 */
/* The shells' half of completion: they hand the line over and take what complete_line() says. */
#include "lightc/client.h"
#include "lightc/output.h"

static const struct {
        const char *shell, *script;
} scripts[] = {
        { "bash", "# lightc completion bash >/usr/share/bash-completion/completions/lightc\n"
                  "_lightc() {\n"
                  "        local IFS=$'\\n' cur line words\n"
                  "        # By blanks alone: for bash, ':' and '=' end a word.\n"
                  "        line=${COMP_LINE:0:COMP_POINT}\n"
                  "        IFS=$' \\t\\n' read -ra words <<<\"$line\"\n"
                  "        [[ $line == *[[:blank:]] ]] && words+=('')\n"
                  "        cur=${words[-1]}\n"
                  "        COMPREPLY=($(lightc __complete \"${words[@]:1}\" 2>/dev/null))\n"
                  "        if [[ $cur == *[:=]* ]]; then COMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*[:=]}\"}\"}\"); fi\n"
                  "}\n"
                  "complete -o default -F _lightc lightc\n" },
        { "fish", "# lightc completion fish >~/.config/fish/completions/lightc.fish\n"
                  "complete -c lightc -f -a '(lightc __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'\n"
                  "complete -c lightc -n '__fish_seen_subcommand_from import push' -F\n" },
        { "zsh", "#compdef lightc\n"
                 "# lightc completion zsh >/usr/share/zsh/site-functions/_lightc\n"
                 "_lightc() {\n"
                 "        local -a found\n"
                 "        found=(${(f)\"$(lightc __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
                 "        if (( $#found )); then compadd -a found; else _files; fi\n"
                 "}\n"
                 "if [ \"$funcstack[1]\" = _lightc ]; then _lightc; else compdef _lightc lightc; fi\n" },
};

static int run(struct client *c _unused_, const struct args *a, struct error *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
                if (streq(a->words[0], scripts[i].shell)) {
                        struct strbuf text = STRBUF_INIT;
                        strbuf_adds(&text, scripts[i].script);
                        int r = output_text(&text);
                        strbuf_done(&text);
                        return r;
                }
        return args_misuse(err, "There is no completion for \"%s\": bash, fish and zsh have one", a->words[0]);
}

const struct command cmd_completion = {
        .path = "completion",
        .summary = "Print the completion of a shell",
        .args = (const struct arg[]){ { "bash|fish|zsh" }, { 0 } },
        .run = run,
        .example = "lightc completion bash >/usr/share/bash-completion/completions/lightc\nsource <(lightc completion bash)",
};
