// Who asks, as the core carries it from the plugin that knows to all that want to.

/// Whoever has shown a credential. Made once for each holder and shared by all of its exchanges, on all cores.
public protocol Principal: AnyObject, Sendable {
  /// The operator's word for it: in the access log, in counts and in rules.
  var name: String { get }
}
