#pragma once
#include "server/ingest/rtmp/amf0.hpp"

/// What the two sides of Enhanced RTMP tell each other in `connect` ("Enhancing NetConnection connect
/// Command").
namespace lookback::server::rtmp {

/// Whether the arguments of a connect name anything of Enhanced RTMP v1 or v2.
bool speaks_enhanced(const amf0::Value& arguments);

/// Whether the peer can be asked to connect again (capsEx).
bool takes_reconnect_request(const amf0::Value& arguments);

/// Adds what this server takes: fourCcList, videoFourCcInfoMap and audioFourCcInfoMap (it can forward:
/// nothing is decoded), capsEx.
void add_capabilities(amf0::Object& properties);

}  // namespace lookback::server::rtmp
