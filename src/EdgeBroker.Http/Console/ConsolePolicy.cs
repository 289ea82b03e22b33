namespace EdgeBroker.Http.Console;

/// <summary>What the browser lets the console's page do: nothing but its own script and style, and requests to where it came from.</summary>
internal static class ConsolePolicy
{
    /// <summary>The header Content-Security-Policy.</summary>
    public const string Content =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'";

    /// <summary>How long a file whose name says what is in it may be kept.</summary>
    public const string Immutable = "public, max-age=31536000, immutable";

    /// <summary>What has to be asked for again, by its tag.</summary>
    public const string AskAgain = "no-cache";
}
