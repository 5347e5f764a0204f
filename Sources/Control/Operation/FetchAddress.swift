// Where a plugin asks something of somebody: a URL in its options.

import Gateway
import Reactor

/// A place for ``Gateway/Core/fetch(_:from:on:)``, written as a URL: `http://host:port/path`, `https://…` (verified against
/// the system's authorities), or `http+unix:/path/to.sock`.
public struct FetchAddress: Sendable, Codable, CustomStringConvertible {
  /// As it was written.
  public let description: String
  /// What it means. The path is `/` where the URL has none.
  public let place: FetchPlace
  /// The URL's path.
  public var path: String { place.path }

  /// Why a URL cannot be used.
  public struct Mistake: Error, CustomStringConvertible {
    public let description: String
  }

  public init(_ url: String) throws {
    let parts: Configuration.Endpoint
    switch EndpointURL.parse(url) {
    case .success(let found): parts = found
    case .failure(let failure): throw Mistake(description: failure.text)
    }
    description = url
    place = FetchPlace(
      endpoint: Endpoint(
        place: parts.place, usesTLS: parts.scheme == .https, name: url, authority: parts.authority,
        basePath: parts.basePath, weight: 1),
      tls: parts.scheme == .https ? try TLSClientContext(caFile: nil, verify: true) : nil,
      path: parts.basePath.isEmpty ? "/" : parts.basePath)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(try container.decode(String.self))
    } catch let mistake as Mistake {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: mistake.description)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Core {
  /// Asks `address` for `request`, and waits for the answer on this core's loop.
  public func fetch(
    _ request: FetchRequest, from address: FetchAddress, on loop: isolated LoopActor
  ) async throws(FetchError) -> FetchAnswer {
    try await fetch(request, from: address.place, on: loop)
  }
}
