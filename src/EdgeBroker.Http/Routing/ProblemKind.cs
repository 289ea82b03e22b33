namespace EdgeBroker.Http.Routing;

/// <summary>A kind of refusal, by the name a program tells it by (RFC 9457: <c>urn:edgebroker:problem:NAME</c>).</summary>
/// <param name="Name">Its name, for programs.</param>
/// <param name="Status">The status it is answered with.</param>
/// <param name="Title">What it is, for people.</param>
public sealed record ProblemKind(string Name, int Status, string Title)
{
    /// <summary>A path that no client should send: bad escapes, text that is no UTF-8.</summary>
    public static readonly ProblemKind InvalidPath = new("invalid-path", 400, "Invalid path");

    /// <summary>A query parameter that is unknown, or has an impossible value.</summary>
    public static readonly ProblemKind InvalidParameter = new("invalid-parameter", 400, "Invalid parameter");

    /// <summary>A body that is not what the endpoint takes.</summary>
    public static readonly ProblemKind InvalidBody = new("invalid-body", 400, "Invalid body");

    /// <summary>A topic that cannot be one.</summary>
    public static readonly ProblemKind InvalidTopic = new("invalid-topic", 400, "Invalid topic");

    /// <summary>A topic filter that cannot be one.</summary>
    public static readonly ProblemKind InvalidFilter = new("invalid-filter", 400, "Invalid topic filter");

    /// <summary>A filter whose <c>+</c> would be read as a space.</summary>
    public static readonly ProblemKind PlusMustBeEncoded = new("plus-must-be-encoded", 400, "A plus in a query is a space");

    /// <summary>A cursor of another list.</summary>
    public static readonly ProblemKind CursorDoesNotFit = new("cursor-does-not-fit", 400, "The cursor belongs to another list");

    /// <summary>Nobody has said who asks.</summary>
    public static readonly ProblemKind LoginNeeded = new("login-needed", 401, "Login needed");

    /// <summary>Who asks is not let in; nobody is told why.</summary>
    public static readonly ProblemKind LoginFailed = new("login-failed", 401, "Login failed");

    /// <summary>Who asks may not.</summary>
    public static readonly ProblemKind RoleNeeded = new("role-needed", 403, "Another role is needed");

    /// <summary>The rules do not permit it.</summary>
    public static readonly ProblemKind NotPermitted = new("not-permitted", 403, "Not permitted");

    /// <summary>A page of another site has sent it.</summary>
    public static readonly ProblemKind CrossSite = new("cross-site", 403, "Requests of other sites are refused");

    /// <summary>The proof is missing that the console itself has sent it.</summary>
    public static readonly ProblemKind Csrf = new("csrf", 403, "The CSRF token is missing or wrong");

    /// <summary>There is no such session.</summary>
    public static readonly ProblemKind NoSuchSession = new("no-such-session", 404, "No such session");

    /// <summary>The topic is not known.</summary>
    public static readonly ProblemKind NoSuchTopic = new("no-such-topic", 404, "No such topic");

    /// <summary>The topic has no retained value.</summary>
    public static readonly ProblemKind NoRetainedValue = new("no-retained-value", 404, "No retained value");

    /// <summary>There is nothing at this path.</summary>
    public static readonly ProblemKind NoSuchEndpoint = new("no-such-endpoint", 404, "No such endpoint");

    /// <summary>There is no such subscription.</summary>
    public static readonly ProblemKind NoSuchSubscription = new("no-such-subscription", 404, "No such subscription");

    /// <summary>There is no such bridge.</summary>
    public static readonly ProblemKind NoSuchBridge = new("no-such-bridge", 404, "No such bridge");

    /// <summary>There is no such webhook.</summary>
    public static readonly ProblemKind NoSuchWebhook = new("no-such-webhook", 404, "No such webhook");

    /// <summary>There is something at this path, for another method.</summary>
    public static readonly ProblemKind WrongMethod = new("wrong-method", 405, "Wrong method");

    /// <summary>A reload is under way.</summary>
    public static readonly ProblemKind ReloadRunning = new("reload-running", 409, "A reload is running");

    /// <summary>There are not as many as was expected.</summary>
    public static readonly ProblemKind CountDiffers = new("count-differs", 409, "The count differs");

    /// <summary>The idempotency key was used for something else.</summary>
    public static readonly ProblemKind KeyReused = new("key-reused", 409, "The idempotency key was used for something else");

    /// <summary>It is not what the caller has seen any more.</summary>
    public static readonly ProblemKind ChangedMeanwhile = new("changed-meanwhile", 412, "It has changed meanwhile");

    /// <summary>The body is too large.</summary>
    public static readonly ProblemKind TooLarge = new("too-large", 413, "Too large");

    /// <summary>The body is of another type.</summary>
    public static readonly ProblemKind WrongType = new("wrong-type", 415, "Wrong content type");

    /// <summary>The host that was asked for is not this one.</summary>
    public static readonly ProblemKind UnknownHost = new("unknown-host", 421, "Unknown host");

    /// <summary>The configuration is wrong.</summary>
    public static readonly ProblemKind ConfigInvalid = new("config-invalid", 422, "The configuration has mistakes");

    /// <summary>The caller must say what it has seen.</summary>
    public static readonly ProblemKind IfMatchNeeded = new("if-match-needed", 428, "If-Match is needed");

    /// <summary>Somebody asks too often.</summary>
    public static readonly ProblemKind TooManyRequests = new("too-many-requests", 429, "Too many requests");

    /// <summary>A limit of the broker is reached.</summary>
    public static readonly ProblemKind Quota = new("quota", 429, "A limit is reached");

    /// <summary>A bug; the log has it.</summary>
    public static readonly ProblemKind Fault = new("fault", 500, "Internal error");

    /// <summary>Others are being served.</summary>
    public static readonly ProblemKind Busy = new("busy", 503, "Busy");

    /// <summary>The store, or its disk, has no room.</summary>
    public static readonly ProblemKind StoreFull = new("store-full", 503, "The store is full");

    /// <summary>The store does not take more.</summary>
    public static readonly ProblemKind StoreFailing = new("store-failing", 503, "The store cannot write");

    /// <summary>The broker is stopping.</summary>
    public static readonly ProblemKind Stopping = new("stopping", 503, "The broker is stopping");

    /// <summary>There is no space on the disk.</summary>
    public static readonly ProblemKind NoSpace = new("no-space", 507, "No space on the disk");

    /// <summary>The name as a URN.</summary>
    public string Type => "urn:edgebroker:problem:" + Name;
}
