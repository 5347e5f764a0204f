/// Exit codes of the process, as sysexits.h has them.
public enum ExitStatus {
  public static let good: Int32 = 0
  /// A key or another argument cannot be what it should be (EX_DATAERR).
  public static let badData: Int32 = 65
  /// Something could not be opened, as an address that is in use (EX_UNAVAILABLE).
  public static let unavailable: Int32 = 69
  /// The configuration has mistakes, or cannot be read (EX_CONFIG).
  public static let badConfiguration: Int32 = 78
}
