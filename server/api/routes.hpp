#pragma once
#include "server/api/api.hpp"

/// The handlers that `route_table.cpp` names. `call.resource` is the path's variable part.
namespace lookback::server::api {

Outcome<Reply> list_recordings(const Services& services, const Call& call);
Outcome<Reply> create_recording(const Services& services, const Call& call);
Outcome<Reply> show_recording(const Services& services, const Call& call);
Outcome<Reply> change_recording(const Services& services, const Call& call);
Outcome<Reply> delete_recording(const Services& services, const Call& call);
Outcome<Reply> stop_recording(const Services& services, const Call& call);

Outcome<Reply> list_streams(const Services& services, const Call& call);
Outcome<Reply> show_stream(const Services& services, const Call& call);
Outcome<Reply> change_stream(const Services& services, const Call& call);
Outcome<Reply> delete_stream(const Services& services, const Call& call);

Outcome<Reply> show_storage(const Services& services, const Call& call);
Outcome<Reply> reload_config(const Services& services, const Call& call);

}  // namespace lookback::server::api
