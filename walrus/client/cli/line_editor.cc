#include "walrus/client/cli/line_editor.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <filesystem>

#include "walrus/client/cli/context.h"

namespace walrus::client {
namespace {

constexpr int kHistoryLines = 1000;

// Waits for a key, or for Ctrl-C wherever we were when it came: a signal is only let in while we
// wait, so none falls between looking and waiting.
void wait_for_key() {
    sigset_t interrupt;
    sigset_t before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    while (!interrupted() && ::ppoll(&input, 1, nullptr, &before) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// libedit goes on reading after a signal; this one stops, so that Ctrl-C leaves the REPL.
int read_character(EditLine*, wchar_t* character) {
    while (true) {
        wait_for_key();
        if (interrupted()) return -1;
        const wint_t got = std::getwc(stdin);
        if (got != WEOF) {
            *character = static_cast<wchar_t>(got);
            return 1;
        }
        const bool again = std::ferror(stdin) != 0 && errno == EINTR && !interrupted();
        std::clearerr(stdin);
        if (interrupted()) return -1;
        if (!again) return 0;
    }
}

std::string common_start(const std::vector<std::string>& words) {
    std::string common = words.front();
    for (const std::string& word : words) {
        const auto differ = std::ranges::mismatch(common, word);
        common.erase(differ.in1, common.end());
    }
    return common;
}

// The prompt and the editing of anything but ASCII need a locale that knows UTF-8.
void choose_locale() {
    std::setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

struct LineEditor::Parts {
    std::string prompt;
    std::string history_file;
    Complete complete;
    EditLine* editor = nullptr;
    History* history = nullptr;
    HistEvent event = {};

    static Parts* of(EditLine* editor) {
        void* parts = nullptr;
        el_get(editor, EL_CLIENTDATA, &parts);
        return static_cast<Parts*>(parts);
    }

    static char* show_prompt(EditLine* editor) { return of(editor)->prompt.data(); }

    static unsigned char on_tab(EditLine* editor, int) {
        const LineInfo* line = el_line(editor);
        const std::string_view before(line->buffer,
                                      static_cast<std::size_t>(line->cursor - line->buffer));
        const auto words = of(editor)->complete(before);
        if (words.empty()) return CC_REFRESH_BEEP;
        const std::string_view typed = before.substr(before.find_last_of(' ') + 1);
        std::string more = common_start(words).substr(typed.size());
        if (words.size() == 1) more.push_back(' ');
        if (!more.empty()) return el_insertstr(editor, more.c_str()) < 0 ? CC_ERROR : CC_REFRESH;
        std::fputc('\n', stdout);
        for (const std::string& word : words) std::fprintf(stdout, "%s  ", word.c_str());
        std::fputc('\n', stdout);
        return CC_REDISPLAY;
    }
};

LineEditor::LineEditor(std::string prompt, std::string history_file, Complete complete)
    : parts_(new Parts{.prompt = std::move(prompt),
                       .history_file = std::move(history_file),
                       .complete = std::move(complete)}) {
    choose_locale();
    std::setvbuf(stdin, nullptr, _IONBF, 0);  // A signal must find us waiting in read().
    parts_->history = history_init();
    history(parts_->history, &parts_->event, H_SETSIZE, kHistoryLines);
    history(parts_->history, &parts_->event, H_SETUNIQUE, 1);
    if (!parts_->history_file.empty())
        history(parts_->history, &parts_->event, H_LOAD, parts_->history_file.c_str());

    parts_->editor = el_init("walrus-cli", stdin, stdout, stderr);
    EditLine* const editor = parts_->editor;
    el_set(editor, EL_CLIENTDATA, parts_.get());
    el_set(editor, EL_PROMPT, &Parts::show_prompt);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, parts_->history);
    el_set(editor, EL_GETCFN, &read_character);
    el_set(editor, EL_ADDFN, "complete", "Complete the word", &Parts::on_tab);
    el_set(editor, EL_BIND, "^I", "complete", nullptr);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(editor, nullptr);  // The user's own ~/.editrc.
}

LineEditor::~LineEditor() {
    el_end(parts_->editor);
    if (!parts_->history_file.empty()) {
        std::error_code ignored;  // A history that cannot be kept is no reason to fail.
        std::filesystem::create_directories(
            std::filesystem::path(parts_->history_file).parent_path(), ignored);
        history(parts_->history, &parts_->event, H_SAVE, parts_->history_file.c_str());
    }
    history_end(parts_->history);
}

std::optional<std::string> LineEditor::read() {
    el_resize(parts_->editor);
    // Before the prompt is seen: otherwise what is typed at once, Ctrl-D say, is the terminal's.
    el_set(parts_->editor, EL_PREP_TERM, 1);
    int size = 0;
    const char* text = el_gets(parts_->editor, &size);
    if (text == nullptr || size <= 0) return std::nullopt;
    std::string line(text, static_cast<std::size_t>(size));
    if (line.find_first_not_of(" \t\r\n") != std::string::npos)
        history(parts_->history, &parts_->event, H_ENTER, line.c_str());
    if (line.ends_with('\n')) line.pop_back();
    return line;
}

}  // namespace walrus::client
