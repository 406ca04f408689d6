// Requests and responses as they travel: size i32 | header | body.
//
//   request header v1  api_key i16 | api_version i16 | correlation_id i32 | client_id nullable
//   string request header v2  the same, then tagged fields (flexible versions); client_id is not
//   compact response header v0 correlation_id i32 response header v1 the same, then tagged fields
//   (flexible versions, but never of ApiVersions: a
//                      client asks for versions before it knows which header the server can write)
//
// The size is cut off by FrameDecoder before anything here is called.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

enum class Support {
    kSupported,
    kUnknownApi,          // Close the connection.
    kUnsupportedVersion,  // Of ApiVersions: answer version 0 with kUnsupportedVersion; else close.
};

// What a frame says about itself.  Unless it is supported, client_id and body are not known.
struct RequestFrame {
    Support support = Support::kSupported;
    std::int16_t api_key = 0;
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    std::optional<std::string> client_id = {};
    Bytes body = {};  // A view into the frame.

    // Which request it is; it is supported.
    ApiKey key() const { return static_cast<ApiKey>(api_key); }
};

// kInvalidArgument: the header is cut short or malformed.
Result<RequestFrame> parse_request_frame(Bytes frame);

// Whose request, and to which question an answer belongs.
struct RequestId {
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    std::optional<std::string> client_id = {};
};

// As decode_request(), into one that is new or was read in the same version.  More than
// `max_elements` in all arrays together are kInvalidArgument.
template <class Request>
Status decode_request_into(const RequestFrame& frame, std::size_t max_elements, Request& request) {
    const Api& api = api_of(Request::kKey);
    Reader reader(frame.body, frame.version, api.is_flexible(frame.version));
    reader.limit_elements(max_elements);
    reader(request);
    return reader.finish(api.name);
}

// The body of a frame that is supported and whose key is Request::kKey.  A Bytes in it is a view
// into the frame.  kInvalidArgument: malformed, or bytes are left over.
template <class Request>
Result<Request> decode_request(const RequestFrame& frame) {
    Request request;
    WALRUS_RETURN_IF_ERROR(decode_request_into(frame, SIZE_MAX, request));
    return request;
}

// A response without its size: what FrameDecoder gives a client.  The correlation id is checked:
// another one is kInvalidArgument, because the stream is then out of step.
template <class Response>
Result<Response> decode_response(Bytes frame, const RequestId& asked) {
    const Api& api = api_of(Response::kKey);
    const bool is_flexible = api.is_flexible(asked.version);
    Reader reader(frame, asked.version, is_flexible);
    std::int32_t correlation_id = 0;
    reader(correlation_id);
    if (reader.ok() && correlation_id != asked.correlation_id)
        return Error{Errc::kInvalidArgument, "kafka: response to another request"};
    if (is_flexible && Response::kKey != ApiKey::kApiVersions) reader.tags();
    Response response;
    reader(response);
    WALRUS_RETURN_IF_ERROR(reader.finish(api.name));
    return response;
}

// Begin and end a frame: the size is filled in when the frame is complete.
std::string begin_request(ApiKey key, const RequestId& id);
std::string begin_response(ApiKey key, std::int16_t version, std::int32_t correlation_id);
void finish_frame(std::string& frame);

// Whole frames, with their size.  The version is one that the api has.
template <class Request>
std::string encode_request(const RequestId& id, const Request& request) {
    std::string frame = begin_request(Request::kKey, id);
    Writer(frame, id.version, api_of(Request::kKey).is_flexible(id.version))(request);
    finish_frame(frame);
    return frame;
}

template <class Response>
std::string encode_response(std::int16_t version, std::int32_t correlation_id,
                            const Response& response) {
    std::string frame = begin_response(Response::kKey, version, correlation_id);
    Writer(frame, version, api_of(Response::kKey).is_flexible(version))(response);
    finish_frame(frame);
    return frame;
}

}  // namespace walrus::protocol::kafka
