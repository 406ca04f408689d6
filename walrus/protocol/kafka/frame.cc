#include "walrus/protocol/kafka/frame.h"

#include <limits>

#include "walrus/base/assert.h"
#include "walrus/protocol/big_endian.h"

namespace walrus::protocol::kafka {
namespace {

constexpr std::size_t kSizeBytes = 4;
// Most responses, those to Produce among them, then take one allocation.
constexpr std::size_t kUsualResponseBytes = 128;
// Header fields have the same form in every version, so they are read and written as inflexible.
constexpr bool kHeaderIsFlexible = false;

}  // namespace

Result<RequestFrame> parse_request_frame(Bytes frame) {
    RequestFrame request;
    Reader reader(frame, 0, kHeaderIsFlexible);
    reader(request.api_key, request.version, request.correlation_id);
    if (!reader.ok()) return reader.finish("request header").error();

    const Api* api = find_api(request.api_key);
    if (api == nullptr || !api->has_version(request.version)) {
        request.support = api == nullptr ? Support::kUnknownApi : Support::kUnsupportedVersion;
        return request;
    }
    reader(request.client_id);
    if (api->is_flexible(request.version)) reader.tags();
    if (!reader.ok()) return reader.finish("request header").error();
    request.body = reader.rest();
    return request;
}

std::string begin_request(ApiKey key, const RequestId& id) {
    WALRUS_ASSERT(api_of(key).has_version(id.version));
    std::string frame(kSizeBytes, '\0');
    Writer writer(frame, 0, kHeaderIsFlexible);
    writer(key, id.version, id.correlation_id, id.client_id);
    if (api_of(key).is_flexible(id.version)) writer.tags();
    return frame;
}

std::string begin_response(ApiKey key, std::int16_t version, std::int32_t correlation_id) {
    WALRUS_ASSERT(api_of(key).has_version(version));
    std::string frame;
    frame.reserve(kUsualResponseBytes);
    frame.resize(kSizeBytes);
    Writer writer(frame, 0, kHeaderIsFlexible);
    writer(correlation_id);
    if (api_of(key).is_flexible(version) && key != ApiKey::kApiVersions) writer.tags();
    return frame;
}

void finish_frame(std::string& frame) {
    const std::size_t size = frame.size() - kSizeBytes;
    WALRUS_ASSERT(size <= std::numeric_limits<std::int32_t>::max());
    store_be(reinterpret_cast<std::byte*>(frame.data()), static_cast<std::int32_t>(size));
}

}  // namespace walrus::protocol::kafka
