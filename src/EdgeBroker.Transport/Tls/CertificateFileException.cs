namespace EdgeBroker.Transport.Tls;

/// <summary>A certificate, key, CA or CRL file that cannot be used. The message says what is wrong and what to do, without the file's name.</summary>
public sealed class CertificateFileException : Exception
{
    /// <param name="file">The file.</param>
    /// <param name="message">What is wrong with it and what to do.</param>
    /// <param name="inner">Where it was noticed.</param>
    public CertificateFileException(string file, string message, Exception? inner = null)
        : base(message, inner) => File = file;

    /// <summary>The file.</summary>
    public string File { get; }
}
