#include "walrus/client/cli/completion_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

namespace walrus::client {
namespace {

// A word that can be typed, and what it means.
struct Word {
    std::string text;
    std::string help;
};

// What can follow a verb.
struct Node {
    std::string path;  // "topics create"; "" is the program.
    std::vector<Word> verbs = {};
    std::vector<Word> options = {};                                 // With the program's own.
    std::set<std::string> with_value = {};                          // Options that take one.
    std::vector<std::pair<std::string, std::string>> choices = {};  // Option, "a b c".
    bool takes_topic = false;
};

std::vector<std::string> option_words(const CLI::Option& option) {
    std::vector<std::string> words;
    for (const std::string& name : option.get_snames()) words.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) words.push_back("--" + name);
    return words;
}

// "a b c" of an option that takes one of a set; CLI11 has it in the name of its type: "TEXT:{a,b}".
std::string choices_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t open = type.find('{');
    const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
    if (open == std::string::npos || close == std::string::npos) return "";
    std::string choices = type.substr(open + 1, close - open - 1);
    for (char& c : choices)
        if (c == ',') c = ' ';
    return choices;
}

void add_options(const CLI::App& app, Node& node) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            node.takes_topic = node.takes_topic || option->get_single_name() == "topic";
            continue;
        }
        const std::string choices = choices_of(*option);
        for (const std::string& word : option_words(*option)) {
            node.options.push_back({word, option->get_description()});
            if (option->get_expected_max() > 0 && option->get_type_size_max() > 0)
                node.with_value.insert(word);
            if (!choices.empty()) node.choices.emplace_back(word, choices);
        }
    }
}

void walk(const CLI::App& root, const CLI::App& app, const std::string& path,
          std::vector<Node>& nodes) {
    Node node{.path = path};
    const auto verbs =
        app.get_subcommands([](const CLI::App* verb) { return !verb->get_name().empty(); });
    for (const CLI::App* verb : verbs)
        node.verbs.push_back({verb->get_name(), verb->get_description()});
    add_options(app, node);
    if (&root != &app) add_options(root, node);
    nodes.push_back(std::move(node));
    for (const CLI::App* verb : verbs)
        walk(root, *verb, path.empty() ? verb->get_name() : path + " " + verb->get_name(), nodes);
}

std::vector<Node> nodes_of(const CLI::App& app) {
    std::vector<Node> nodes;
    walk(app, app, "", nodes);
    return nodes;
}

std::string joined(const std::vector<Word>& words) {
    std::vector<std::string> texts;
    for (const Word& word : words) texts.push_back(word.text);
    return fmt::format("{}", fmt::join(texts, " "));
}

// Inside of single quotes.
std::string quoted(std::string text) {
    for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
        text.replace(at, 1, "'\\''");
    return "'" + text + "'";
}

// "        'topics list') verbs='...' ;;" for every node.
std::string bash_cases(const std::vector<Node>& nodes) {
    std::string text;
    for (const Node& node : nodes) {
        text +=
            fmt::format("        {})\n            verbs={} options={} valued={} topic={}\n",
                        quoted(node.path), quoted(joined(node.verbs)), quoted(joined(node.options)),
                        quoted(fmt::format(" {} ", fmt::join(node.with_value, " "))),
                        node.takes_topic ? "yes" : "no");
        text += "            case $previous in\n";
        for (const auto& [option, choices] : node.choices)
            text += fmt::format("                {}) choices={} ;;\n", option, quoted(choices));
        text += "            esac ;;\n";
    }
    return text;
}

constexpr std::string_view kBash =
    R"sh(# bash completion of walrus-cli, written by `walrus-cli completions bash`.
# To use it now:    source <(walrus-cli completions bash)
# For good: the same into ~/.local/share/bash-completion/completions/walrus-cli
_walrus_cli_node() {
    local previous=$2
    verbs= options= valued= choices= topic=no
    case $1 in
@CASES@    esac
}
_walrus_cli() {
    local verbs options valued choices topic path= word i
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local where=()
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word=${COMP_WORDS[i]}
        _walrus_cli_node "$path" ''
        case $word in
            --addr | --kafka | --admin) where+=("$word" "${COMP_WORDS[i + 1]}") ;;
        esac
        if [[ $word == -* ]]; then
            if [[ $valued == *" $word "* ]]; then ((++i)); fi
        elif [[ " $verbs " == *" $word "* ]]; then
            path=${path:+$path }$word
        fi
    done
    _walrus_cli_node "$path" "$previous"
    if [[ $previous == -* && $valued == *" $previous "* ]]; then
        # shellcheck disable=SC2207
        COMPREPLY=($(compgen -W "$choices" -- "$current"))
    elif [[ $current == -* ]]; then
        # shellcheck disable=SC2207
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [[ -n $verbs ]]; then
        # shellcheck disable=SC2207
        COMPREPLY=($(compgen -W "$verbs" -- "$current"))
    elif [[ $topic == yes ]]; then
        # shellcheck disable=SC2207
        COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "${where[@]}" --timeout 1s --quiet \
            topics list --names 2>/dev/null)" -- "$current"))
    fi
}
complete -o default -F _walrus_cli walrus-cli
)sh";

// 'word:help' for _describe; a colon inside a word would end it.
std::string zsh_words(const std::vector<Word>& words) {
    std::string text;
    for (const Word& word : words) {
        std::string escaped;
        for (const char c : word.text) {
            if (c == ':') escaped.push_back('\\');
            escaped.push_back(c);
        }
        text += " " + quoted(escaped + ":" + word.help);
    }
    return text;
}

std::string zsh_cases(const std::vector<Node>& nodes) {
    std::string text;
    for (const Node& node : nodes) {
        text += fmt::format(
            "        ({})\n            verbs=({} )\n            options=({} )\n"
            "            valued={} topic={}\n",
            quoted(node.path), zsh_words(node.verbs), zsh_words(node.options),
            quoted(fmt::format(" {} ", fmt::join(node.with_value, " "))),
            node.takes_topic ? "yes" : "no");
        text += "            case $2 in\n";
        for (const auto& [option, choices] : node.choices)
            text += fmt::format("                ({}) choices=({}) ;;\n", option, choices);
        text += "            esac ;;\n";
    }
    return text;
}

constexpr std::string_view kZsh =
    R"sh(#compdef walrus-cli
# zsh completion of walrus-cli, written by `walrus-cli completions zsh`.
# To use it now:    source <(walrus-cli completions zsh)
# For good:         walrus-cli completions zsh >"${fpath[1]}/_walrus-cli"
_walrus_cli_node() {
    verbs=() options=() choices=() valued= topic=no
    case $1 in
@CASES@    esac
}
_walrus_cli() {
    local -a verbs options choices where topics
    local valued topic path_words= word previous=${words[CURRENT-1]} current=${words[CURRENT]}
    local -i i
    for ((i = 2; i < CURRENT; ++i)); do
        word=${words[i]}
        _walrus_cli_node "$path_words" ''
        case $word in
            (--addr|--kafka|--admin) where+=("$word" "${words[i+1]}") ;;
        esac
        if [[ $word == -* ]]; then
            if [[ $valued == *" $word "* ]]; then ((++i)); fi
        elif (( ${verbs[(I)${word}:*]} )); then
            path_words=${path_words:+$path_words }$word
        fi
    done
    _walrus_cli_node "$path_words" "$previous"
    if [[ $previous == -* && $valued == *" $previous "* ]]; then
        if (( $#choices )); then compadd -a choices; else _files; fi
    elif [[ $current == -* ]]; then
        _describe -o option options
    elif (( $#verbs )); then
        _describe verb verbs
    elif [[ $topic == yes ]]; then
        topics=(${(f)"$(${words[1]} $where --timeout 1s -q topics list --names 2>/dev/null)"})
        compadd -a topics
    else
        _files
    fi
}
if [[ $funcstack[1] == _walrus_cli ]]; then
    _walrus_cli "$@"
else
    compdef _walrus_cli walrus-cli
fi
)sh";

// The scripts are full of braces, so this is no format string.
std::string with_cases(std::string_view script, const std::string& cases) {
    constexpr std::string_view kPlace = "@CASES@";
    std::string made(script);
    return made.replace(made.find(kPlace), kPlace.size(), cases);
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    return with_cases(kBash, bash_cases(nodes_of(app)));
}

std::string zsh_completion(const CLI::App& app) {
    return with_cases(kZsh, zsh_cases(nodes_of(app)));
}

}  // namespace walrus::client
