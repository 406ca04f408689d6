#include "walrus/node/admin_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "walrus/node/admin_documents.h"
#include "walrus/node/status_page.h"

namespace walrus::node {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kExposition = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::chrono::seconds kPatience{5};
constexpr const char* kStopping = "the server is stopping";
constexpr std::uint64_t kMaxMessages = 1000;

// What the loop answers; it may come when nobody waits any more.
class Answer {
public:
    void set(Result<std::string> text) {
        const std::scoped_lock lock(mutex_);
        if (!text_) text_ = std::move(text);
        answered_.notify_all();
    }
    // Nothing: the loop is busy for too long.
    std::optional<Result<std::string>> wait() {
        std::unique_lock lock(mutex_);
        answered_.wait_for(lock, kPatience, [this] { return text_.has_value(); });
        return text_;
    }

private:
    std::mutex mutex_;
    std::condition_variable answered_;
    std::optional<Result<std::string>> text_;
};

int status_of(Errc code) {
    switch (code) {
        case Errc::kNotFound: return 404;
        case Errc::kInvalidArgument:
        case Errc::kOutOfRange:
        case Errc::kTooLarge: return 400;
        case Errc::kClosed: return 503;
        case Errc::kUnsupported:
        case Errc::kAlreadyExists:
        case Errc::kNoSpace:
        case Errc::kResourceExhausted:
        case Errc::kBusy:
        case Errc::kIo:
        case Errc::kCorruption:
        case Errc::kPoisoned:
        case Errc::kTimeout:
        case Errc::kFenced:
        case Errc::kNotLeader: break;
    }
    return 500;
}

void refuse(httplib::Response& response, int status, std::string_view why) {
    response.status = status;
    response.set_content(error_json(why), kJson);
}

// False: it is there and no number; the response says so.
bool read_number(const httplib::Request& request, const char* name, std::uint64_t& value,
                 httplib::Response& response) {
    if (!request.has_param(name)) return true;
    const std::string text = request.get_param_value(name);
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault == std::errc{} && end == text.data() + text.size()) return true;
    refuse(response, 400, std::string(name) + " must be a number, such as ?" + name + "=10");
    return false;
}

class HttpServer final : public AdminServer {
public:
    ~HttpServer() override;

    Status bind(const std::string& host, std::uint16_t port);
    std::uint16_t port() const override { return port_; }
    void serve(const AdminSource& source) override;
    void leave_loop() override;

private:
    using Make = std::function<Result<std::string>(const AdminSource&)>;
    using MakeLater = std::function<void(const AdminSource&, JsonCallback)>;

    void route();
    void get(const char* path, const char* type, Make make);
    void ask(httplib::Response& response, const char* type, const MakeLater& make);
    void health(const httplib::Request& request, httplib::Response& response);
    void messages(const httplib::Request& request, httplib::Response& response);

    httplib::Server http_;
    std::uint16_t port_ = 0;
    const AdminSource* source_ = nullptr;
    std::thread thread_;

    std::mutex mutex_;
    bool has_left_ = false;                      // Under mutex_.
    std::set<std::shared_ptr<Answer>> waiting_;  // Under mutex_.
};

HttpServer::~HttpServer() {
    leave_loop();
    http_.stop();
    if (thread_.joinable()) thread_.join();
}

Status HttpServer::bind(const std::string& host, std::uint16_t port) {
    // The library's own choice would let two servers have one port.
    http_.set_socket_options([](socket_t socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    http_.new_task_queue = [] { return new httplib::ThreadPool(4); };
    http_.set_keep_alive_max_count(1000);
    http_.set_keep_alive_timeout(1);  // In seconds; the end waits for it.
    http_.set_payload_max_length(64 << 10);
    errno = 0;
    const int bound = port == 0                        ? http_.bind_to_any_port(host)
                      : http_.bind_to_port(host, port) ? port
                                                       : -1;
    if (bound > 0) {
        port_ = static_cast<std::uint16_t>(bound);
        return {};
    }
    const Errc code = errno == EADDRINUSE ? Errc::kBusy : Errc::kInvalidArgument;
    return Error{code, "admin: listen on " + host + ":" + std::to_string(port) + ": " +
                           (code == Errc::kBusy ? "Address already in use" : "not possible")};
}

void HttpServer::serve(const AdminSource& source) {
    source_ = &source;
    route();
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    while (!http_.is_running()) std::this_thread::yield();  // stop() before that does nothing.
}

void HttpServer::leave_loop() {
    const std::scoped_lock lock(mutex_);
    has_left_ = true;
    for (const auto& answer : waiting_) answer->set(Error{Errc::kClosed, kStopping});
}

// Lets the loop make the answer and waits for it.
void HttpServer::ask(httplib::Response& response, const char* type, const MakeLater& make) {
    const auto answer = std::make_shared<Answer>();
    {
        const std::scoped_lock lock(mutex_);
        if (has_left_) return refuse(response, 503, kStopping);
        waiting_.insert(answer);
    }
    source_->loop->post([answer, make, source = source_] {
        make(*source, [answer](Result<std::string> text) { answer->set(std::move(text)); });
    });
    auto text = answer->wait();
    {
        const std::scoped_lock lock(mutex_);
        waiting_.erase(answer);
    }
    if (!text) return refuse(response, 503, "the server is too busy to answer; try again");
    if (!*text) {
        const Error& error = text->error();
        return refuse(response, status_of(error.code), error.message);
    }
    response.set_content(**std::move(text), type);
}

void HttpServer::get(const char* path, const char* type, Make make) {
    http_.Get(path, [this, type, make = std::move(make)](const httplib::Request&,
                                                         httplib::Response& response) {
        ask(response, type,
            [make](const AdminSource& source, const JsonCallback& done) { done(make(source)); });
    });
}

void HttpServer::route() {
    get("/metrics", kExposition, metrics_text);
    get("/v1/node", kJson, node_json);
    get("/v1/topics", kJson, topics_json);
    get("/v1/groups", kJson, groups_json);
    get("/v1/cluster", kJson, cluster_json);
    get("/v1/nodes", kJson, nodes_json);
    get("/v1/segments", kJson, segments_json);
    get("/v1/config", kJson, config_json);
    get("/livez", "text/plain", [](const AdminSource&) { return std::string("ok\n"); });
    http_.Get("/v1/version", [](const httplib::Request&, httplib::Response& response) {
        response.set_content(version_json(), kJson);
    });
    for (const char* path : {"/readyz", "/healthz"})
        http_.Get(path, [this](const httplib::Request& request, httplib::Response& response) {
            health(request, response);
        });
    http_.Get(R"(/v1/topics/([^/]+))", [this](const httplib::Request& request,
                                              httplib::Response& response) {
        const std::string topic = request.matches[1];
        ask(response, kJson, [topic](const AdminSource& source, const JsonCallback& done) {
            done(topic_json(source, topic));
        });
    });
    http_.Get(R"(/v1/topics/([^/]+)/messages)",
              [this](const httplib::Request& request, httplib::Response& response) {
                  messages(request, response);
              });
    http_.Get("/", [](const httplib::Request&, httplib::Response& response) {
        response.set_content(std::string(status_page()), "text/html; charset=utf-8");
    });
    http_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
        if (response.body.empty())
            response.set_content(
                error_json(response.status == 404
                               ? "not found; the pages are /, /livez, /readyz, "
                                 "/metrics, /v1/node, /v1/topics, /v1/groups, "
                                 "/v1/cluster, /v1/nodes, /v1/segments, /v1/config, "
                                 "/v1/version"
                               : "bad request"),
                kJson);
    });
}

void HttpServer::health(const httplib::Request& request, httplib::Response& response) {
    const auto is_ready = std::make_shared<std::atomic<bool>>(false);
    ask(response, kJson, [is_ready](const AdminSource& source, const JsonCallback& done) {
        const Readiness readiness = node::readiness(source);
        *is_ready = readiness.is_ready;
        done(readiness.document);
    });
    if (!*is_ready) {
        response.status = 503;
    } else if (!request.has_param("verbose")) {
        response.set_content("ok\n", "text/plain");
    }
}

void HttpServer::messages(const httplib::Request& request, httplib::Response& response) {
    MessagesQuery query{.topic = request.matches[1]};
    std::uint64_t partition = 0;
    if (!read_number(request, "partition", partition, response) ||
        !read_number(request, "offset", query.offset, response) ||
        !read_number(request, "limit", query.limit, response))
        return;
    if (query.limit == 0 || query.limit > kMaxMessages || partition > 1'000'000)
        return refuse(response, 400, "limit must be from 1 to 1000");
    query.partition = static_cast<std::int32_t>(partition);
    ask(response, kJson, [query](const AdminSource& source, JsonCallback done) {
        messages_json(source, query, std::move(done));
    });
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::listen(const std::string& host,
                                                         std::uint16_t port) {
    auto server = std::make_unique<HttpServer>();
    WALRUS_RETURN_IF_ERROR(server->bind(host, port));
    return std::unique_ptr<AdminServer>(std::move(server));
}

}  // namespace walrus::node
