using System.Net.Sockets;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>Why a listener cannot be opened or changed.</summary>
/// <param name="Text">The address or file, the cause, and what to do.</param>
/// <param name="IsAddressMissing">Whether the machine may have the address later.</param>
internal sealed record ListenProblem(string Text, bool IsAddressMissing = false)
{
    /// <summary>Does what may fail because of an address or a file.</summary>
    /// <returns>Why it has; null: it has not.</returns>
    public static async Task<ListenProblem?> OfAsync(Func<Task> work, string address)
    {
        try
        {
            await work().ConfigureAwait(false);
            return null;
        }
        catch (CertificateFileException exception)
        {
            return new ListenProblem($"{exception.File} {exception.Message}");
        }
        catch (ListenException exception)
        {
            return new ListenProblem(exception.Message, exception.IsAddressMissing);
        }
        catch (Exception exception) when (exception is IOException or FormatException or UnauthorizedAccessException or SocketException)
        {
            return new ListenProblem($"cannot listen on {address}: {exception.Message}");
        }
    }
}
