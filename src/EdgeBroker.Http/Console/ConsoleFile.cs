using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;

namespace EdgeBroker.Http.Console;

/// <summary>One file of the web console, compressed in the executable; read from there each time, so it takes no memory until somebody looks.</summary>
internal sealed class ConsoleFile
{
    private const string Prefix = "console/";
    private const string Suffix = ".gz";

    private readonly string _resource;

    private ConsoleFile(string resource)
    {
        _resource = resource;
        Name = resource[Prefix.Length..^Suffix.Length];
        using Stream stream = Open();
        Length = stream.Length;
        ETag = $"W/\"{Convert.ToHexStringLower(SHA256.HashData(stream).AsSpan(0, 12))}\"";
    }

    /// <summary>Every file there is.</summary>
    public static IReadOnlyList<ConsoleFile> All { get; } = Load();

    /// <summary>Its name in the address; of the page <c>index.html</c>.</summary>
    public string Name { get; }

    /// <summary>Its size, compressed.</summary>
    public long Length { get; }

    /// <summary>Names what is in it; weak, since it is sent compressed or not.</summary>
    public string ETag { get; }

    /// <summary>Whether it is the page, which names the others.</summary>
    public bool IsPage => Name == "index.html";

    /// <summary>Whether its name says what is in it, so that it never has to be asked for again.</summary>
    public bool IsImmutable => Name.Contains('-', StringComparison.Ordinal);

    /// <summary>What it is.</summary>
    public string ContentType => Path.GetExtension(Name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };

    /// <summary>Opens it as gzip has it.</summary>
    public Stream Open() => Here.GetManifestResourceStream(_resource) ?? throw new InvalidOperationException($"{_resource} is not in the executable");

    /// <summary>Opens it for who does not know gzip.</summary>
    public Stream OpenPlain() => new GZipStream(Open(), CompressionMode.Decompress);

    private static Assembly Here => typeof(ConsoleFile).Assembly;

    private static ConsoleFile[] Load() =>
        [.. from name in Here.GetManifestResourceNames() where name.StartsWith(Prefix, StringComparison.Ordinal) select new ConsoleFile(name)];
}
